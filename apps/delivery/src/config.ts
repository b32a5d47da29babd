import { defineSettings, type Settings, setting } from '@millrace/config';
import { proxySettings } from '@millrace/http';
import { mediaStoreSettings } from '@millrace/media-store';
import { processSettings, processSettingsOrExit } from '@millrace/process';

/** What the service itself needs; standalone takes the same table. */
export const deliverySettings = defineSettings({
  ...proxySettings,
  DELIVERY_LISTED_SEGMENTS: setting.integer({
    doc: 'Complete segments that a live playlist lists.',
    fallback: '8',
    min: 6,
    max: 120,
  }),
  DELIVERY_MEMORY_MB: setting.integer({
    doc: 'Media of all live windows in memory, MB; beyond it the oldest segments leave their windows.',
    fallback: '256',
    min: 16,
    max: 65_536,
  }),
  DELIVERY_STREAM_MEMORY_MB: setting.integer({
    doc: 'Media of one live window in memory, MB.',
    fallback: '64',
    min: 8,
    max: 4_096,
  }),
  DELIVERY_MAX_STREAMS: setting.integer({
    doc: 'Streams that may be live at once.',
    fallback: '200',
    min: 1,
    max: 10_000,
  }),
  DELIVERY_MAX_WAITING: setting.integer({
    doc: 'Requests that may wait for a part at once; the next get 503.',
    fallback: '20000',
    min: 1,
    max: 1_000_000,
  }),
  DELIVERY_MAX_STORE_READS: setting.integer({
    doc: 'Old segments that may be read from the media store at once; the next get 503.',
    fallback: '256',
    min: 1,
    max: 10_000,
  }),
  DELIVERY_MAX_VIDEO_READS: setting.integer({
    doc: 'Files of videos that may be read from the media store at once; the next get 503.',
    fallback: '1024',
    min: 1,
    max: 100_000,
  }),
  DELIVERY_ARCHIVE_QUEUE: setting.integer({
    doc: 'Segments that may wait to be written to the media store; the next stay in memory only.',
    fallback: '256',
    min: 1,
    max: 100_000,
  }),
  DELIVERY_ENDED_WINDOW_S: setting.integer({
    doc: 'How long the end of a broadcast stays readable, s.',
    fallback: '120',
    min: 1,
    max: 86_400,
  }),
  DELIVERY_IDLE_WINDOW_S: setting.integer({
    doc: 'A window that gets no part for this long is ended, s.',
    fallback: '600',
    min: 10,
    max: 86_400,
  }),
  DELIVERY_VIEWER_SILENCE_MS: setting.integer({
    doc: 'Shortest silence of a player after which its viewer has left, ms; at least 2.5 target durations without parts.',
    fallback: '5000',
    min: 1_000,
    max: 120_000,
  }),
  DELIVERY_MAX_SESSIONS: setting.integer({
    doc: 'Viewer sessions that are kept track of; further ones play uncounted.',
    fallback: '100000',
    min: 10,
    max: 10_000_000,
  }),
  DELIVERY_MAX_STREAM_SESSIONS: setting.integer({
    doc: 'The same, of one stream.',
    fallback: '100000',
    min: 10,
    max: 10_000_000,
  }),
  DELIVERY_MAX_ADDRESS_SESSIONS: setting.integer({
    doc: 'The same, of one address (a /64 of IPv6).',
    fallback: '5000',
    min: 1,
    max: 1_000_000,
  }),
  DELIVERY_ADDRESS_SESSIONS_PER_S: setting.integer({
    doc: 'New viewer sessions of one address per second, ten times as many at once.',
    fallback: '500',
    min: 1,
    max: 1_000_000,
  }),
  DELIVERY_BEACONS_PER_S: setting.integer({
    doc: 'CMCD reports per second that are taken; those in requests use what events leave.',
    fallback: '4000',
    min: 1,
    max: 1_000_000,
  }),
  DELIVERY_ADDRESS_BEACONS_PER_S: setting.integer({
    doc: 'The same, of one address; five times as many at once. Event posts beyond it get 429.',
    fallback: '400',
    min: 1,
    max: 1_000_000,
  }),
  DELIVERY_SESSION_BEACONS_PER_S: setting.integer({
    doc: 'The same, of one viewer session.',
    fallback: '5',
    min: 1,
    max: 1_000,
  }),
  DELIVERY_GEOIP_FILE: setting.optionalText({
    doc: 'MaxMind country file (.mmdb) for the countries of viewers; read again when it changes.',
  }),
  DELIVERY_VIEWER_SECRET: setting.optionalText({
    doc: 'Secret that all deliveries share, for the hashes of viewers; unset: the service token, else a random salt a day.',
    secret: true,
  }),
});

export type DeliverySettings = Settings<typeof deliverySettings>;

/** What the process needs besides. */
export const deliveryProcessSettings = defineSettings({
  ...processSettings,
  ...deliverySettings,
  ...mediaStoreSettings,
  HTTP_PORT: setting.port({ doc: 'Port for players.', fallback: '8080' }),
  DELIVERY_ROLE: setting.oneOf({
    doc: 'Whether it holds live windows (origin) or stands in front of those that do (edge).',
    fallback: 'origin',
    values: ['origin', 'edge'],
  }),
  DELIVERY_ORIGIN_URLS: setting.list({
    doc: 'Of an edge: internal listeners of the origins, comma-separated, spelled as TRANSCODE_DELIVERY_URLS.',
    fallback: 'http://delivery:8081',
  }),
  DELIVERY_EDGE_CACHE_MB: setting.integer({
    doc: 'Of an edge: media that it keeps in memory, MB.',
    fallback: '512',
    min: 16,
    max: 262_144,
  }),
  DELIVERY_EDGE_SOCKETS: setting.integer({
    doc: 'Of an edge: connections to each origin; as many requests again may wait for one.',
    fallback: '1024',
    min: 16,
    max: 65_536,
  }),
  DELIVERY_INSTANCE_ID: setting.text({
    doc: 'Stable name of this instance.',
    fallback: 'delivery-1',
    pattern: /^[a-z0-9][a-z0-9-]{0,62}$/,
  }),
});

export type DeliveryProcessSettings = Settings<typeof deliveryProcessSettings>;

/** Reads the environment and `.env`. On mistakes it prints all of them and exits 64. */
export function readDeliverySettings(): DeliveryProcessSettings {
  return processSettingsOrExit(deliveryProcessSettings, process.env);
}

/** What an edge is told of its origins. */
export function edgeSettings(settings: DeliveryProcessSettings) {
  return {
    originUrls: settings.DELIVERY_ORIGIN_URLS,
    cacheMb: settings.DELIVERY_EDGE_CACHE_MB,
    mostSockets: settings.DELIVERY_EDGE_SOCKETS,
  };
}
