/** Settings of control: the only reader of the environment. */
import { defineSettings, type Settings, setting } from '@millrace/config';
import { processSettings, processSettingsOrExit } from '@millrace/process';

/** What the service itself needs; standalone takes the same table. */
export const controlSettings = defineSettings({
  PUBLIC_URL: setting.url({
    doc: 'Origin under which the world reaches the front.',
    fallback: 'http://localhost:8080',
  }),
  CONTROL_RTMP_HOST: setting.optionalText({ doc: 'Host in the RTMP URLs shown; unset: that of PUBLIC_URL.' }),
  RTMP_PORT: setting.port({ doc: 'RTMP port.', fallback: '1935' }),
  RTMPS_PORT: setting.optionalText({ doc: 'RTMPS port; unset: off.' }),
  CONTROL_KEY_SECRET: setting.optionalSecret({
    doc: 'Seals the token signing key in the database: 32 random characters or more; unset: it is stored as it is.',
    shortest: 32,
  }),
  CONTROL_MAX_STREAMS_PER_OWNER: setting.integer({
    doc: 'Most streams of one owner.',
    fallback: '1000',
    min: 1,
    max: 1_000_000,
  }),
  CONTROL_MAX_TOKENS_PER_OWNER: setting.integer({
    doc: 'Most working API tokens of one owner.',
    fallback: '200',
    min: 1,
    max: 100_000,
  }),
  CONTROL_SIGN_IN_HOURS: setting.integer({
    doc: 'How long a sign-in to the studio works, hours.',
    fallback: '720',
    min: 1,
    max: 8_784,
  }),
});
export type ControlSettings = Settings<typeof controlSettings>;

/** What only a process of its own needs beside `controlSettings`. */
export const controlProcessSettings = defineSettings({
  ...processSettings,
  ...controlSettings,
  HTTP_PORT: setting.port({ doc: 'Port of the REST API.', fallback: '8080' }),
  DATABASE_URL: setting.text({
    doc: 'PostgreSQL of control, also of the event log where KAFKA_BROKERS is empty.',
    secret: true,
  }),
  CONTROL_INSTANCE_ID: setting.text({
    doc: 'Stable name of this instance.',
    fallback: 'control-1',
    pattern: /^[a-z0-9][a-z0-9-]{0,62}$/,
  }),
});
export type ControlProcessSettings = Settings<typeof controlProcessSettings>;

/** Reads the environment and `.env`; prints every mistake and exits 64 when there is one. */
export function readControlSettings(): ControlProcessSettings {
  return processSettingsOrExit(controlProcessSettings, process.env);
}
