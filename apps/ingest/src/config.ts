/** Settings of ingest: the only reader of the environment. */
import { defineSettings, type Settings, setting } from '@millrace/config';
import { processSettings, processSettingsOrExit } from '@millrace/process';

export const ingestSettings = defineSettings({
  RTMP_HOST: setting.text({ doc: 'Address that RTMP and RTMPS listen on.', fallback: '0.0.0.0' }),
  RTMP_PORT: setting.port({ doc: 'RTMP port.', fallback: '1935' }),
  RTMPS_PORT: setting.optionalText({ doc: 'RTMPS port; unset: off.' }),
  RTMPS_CERT_FILE: setting.optionalText({ doc: 'Certificate chain of RTMPS, PEM; read again when it changes.' }),
  RTMPS_KEY_FILE: setting.optionalText({ doc: 'Private key of RTMPS, PEM; read again when it changes.' }),
  INGEST_APP: setting.text({
    doc: 'Application name in the publish URL, rtmp://host/<app>.',
    fallback: 'live',
    pattern: /^[a-zA-Z0-9_-]{1,64}$/,
  }),
  INGEST_RECONNECT_WINDOW_MS: setting.integer({
    doc: 'How long a broadcast waits for its encoder to come back, ms.',
    fallback: '30000',
    min: 0,
    max: 600_000,
  }),
  INGEST_MAX_CONNECTIONS: setting.integer({ doc: 'Connections in all.', fallback: '1000', min: 1, max: 100_000 }),
  INGEST_MAX_CONNECTIONS_PER_ADDRESS: setting.integer({
    doc: 'Connections from one IPv4 address or IPv6 /64.',
    fallback: '50',
    min: 1,
    max: 100_000,
  }),
  INGEST_MAX_MESSAGE_BYTES: setting.integer({
    doc: 'Longest audio or video message, bytes.',
    fallback: '4194304',
    min: 65_536,
    max: 16_777_215,
  }),
  INGEST_MAX_BUFFERED_BYTES: setting.integer({
    doc: 'Claimed bytes of unfinished messages in the whole process.',
    fallback: '268435456',
    min: 1_048_576,
    max: 17_179_869_184,
  }),
  INGEST_MAX_CACHE_BYTES: setting.integer({
    doc: 'Tags kept of each stream for the next worker, bytes.',
    fallback: '16777216',
    min: 262_144,
    max: 1_073_741_824,
  }),
  INGEST_HANDSHAKE_MS: setting.integer({ doc: 'Longest RTMP handshake, ms.', fallback: '5000', min: 100, max: 60_000 }),
  INGEST_PUBLISH_MS: setting.integer({
    doc: 'From the connection to an accepted publish, ms.',
    fallback: '10000',
    min: 100,
    max: 60_000,
  }),
  INGEST_IDLE_MS: setting.integer({
    doc: 'Silence of a publisher that ends its connection, ms.',
    fallback: '15000',
    min: 500,
    max: 600_000,
  }),
  INGEST_KEY_TABLE_WAIT_MS: setting.integer({
    doc: 'How long a publish waits for the key table after a start, ms.',
    fallback: '5000',
    min: 0,
    max: 60_000,
  }),
  INGEST_COALESCE_ABOVE_READS: setting.integer({
    doc: 'Socket reads a second above which reads are put together; 0: always.',
    fallback: '1000',
    min: 0,
    max: 10_000_000,
  }),
  INGEST_COALESCE_TICK_MS: setting.integer({
    doc: 'Time between two reads of a socket while reads are put together, ms.',
    fallback: '25',
    min: 1,
    max: 100,
  }),
  INGEST_DRAIN_MS: setting.integer({
    doc: 'How long publishers may take to go at a stop, ms.',
    fallback: '3000',
    min: 0,
    max: 60_000,
  }),
});
export type IngestSettings = Settings<typeof ingestSettings>;

/** What only a process of its own needs beside `ingestSettings`. */
export const ingestProcessSettings = defineSettings({
  ...processSettings,
  ...ingestSettings,
  INGEST_INSTANCE_ID: setting.text({
    doc: 'Stable name of this instance.',
    fallback: 'ingest-1',
    pattern: /^[a-z0-9][a-z0-9-]{0,62}$/,
  }),
});
export type IngestProcessSettings = Settings<typeof ingestProcessSettings>;

/** Reads the environment and `.env`; prints every mistake and exits 64 when there is one. */
export function readIngestSettings(): IngestProcessSettings {
  return processSettingsOrExit(ingestProcessSettings, process.env);
}
