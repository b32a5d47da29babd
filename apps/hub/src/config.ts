import { defineSettings, type Settings, setting } from '@millrace/config';
import { proxySettings } from '@millrace/http';
import { processSettings, processSettingsOrExit } from '@millrace/process';

/** What the service itself needs; standalone takes the same table. */
export const hubSettings = defineSettings({
  ...proxySettings,
  HUB_ALLOWED_ORIGINS: setting.list({
    doc: 'Origins of web pages that may connect besides the hub’s own host, comma-separated; `*`: any.',
    fallback: '',
  }),
  HUB_MAX_SOCKETS: setting.integer({
    doc: 'Clients that may be connected at once; the next get 503.',
    fallback: '20000',
    min: 1,
    max: 1_000_000,
  }),
  HUB_MAX_SOCKETS_PER_ADDRESS: setting.integer({
    doc: 'Clients of one address at once; the next get 429.',
    fallback: '256',
    min: 1,
    max: 1_000_000,
  }),
  HUB_MAX_HANDSHAKES_PER_S: setting.integer({
    doc: 'New connections a second; the next get 503.',
    fallback: '1000',
    min: 1,
    max: 100_000,
  }),
  HUB_MAX_SUBSCRIPTIONS: setting.integer({
    doc: 'Channels that one client may subscribe to.',
    fallback: '64',
    min: 1,
    max: 10_000,
  }),
  HUB_MAX_REQUESTS_PER_S: setting.integer({
    doc: 'Requests a second of one client; who sends more is closed.',
    fallback: '20',
    min: 1,
    max: 10_000,
  }),
  HUB_MAX_QUEUED_KB: setting.integer({
    doc: 'Bytes a client may leave untaken before it is closed, KB.',
    fallback: '1024',
    min: 64,
    max: 1_048_576,
  }),
  HUB_HISTORY: setting.integer({
    doc: 'Changes of streams, and of jobs, that are kept for clients that return.',
    fallback: '4096',
    min: 300,
    max: 1_000_000,
  }),
  HUB_CONFLATE_MS: setting.integer({
    doc: 'How often viewer counts and health are sent, ms.',
    fallback: '500',
    min: 50,
    max: 10_000,
  }),
  HUB_PING_S: setting.integer({
    doc: 'How often a quiet client is asked for a sign of life, s.',
    fallback: '20',
    min: 1,
    max: 600,
  }),
  HUB_DRAIN_SPREAD_MS: setting.integer({
    doc: 'Over how long clients are told to come back when this instance stops, ms.',
    fallback: '5000',
    min: 0,
    max: 120_000,
  }),
});

export type HubSettings = Settings<typeof hubSettings>;

/** What the process needs besides. */
export const hubProcessSettings = defineSettings({
  ...processSettings,
  ...hubSettings,
  HTTP_PORT: setting.port({ doc: 'Port for clients.', fallback: '8080' }),
  HUB_INSTANCE_ID: setting.text({
    doc: 'Stable name of this instance.',
    fallback: 'hub-1',
    pattern: /^[a-z0-9][a-z0-9-]{0,62}$/,
  }),
});

export type HubProcessSettings = Settings<typeof hubProcessSettings>;

/** Reads the environment and `.env`. On mistakes it prints all of them and exits 64. */
export function readHubSettings(): HubProcessSettings {
  return processSettingsOrExit(hubProcessSettings, process.env);
}
