/** Settings of control: the only reader of the environment. */
import { defineSettings, Secret, type Settings, setting, settingsOrExit } from '@millrace/config';
import { exitCode } from '@millrace/lifecycle';
import { z } from 'zod';

/** What the service itself needs; standalone takes the same table. */
export const controlSettings = defineSettings({
  PUBLIC_URL: setting.url({
    doc: 'Origin under which the world reaches the front.',
    fallback: 'http://localhost:8080',
  }),
  CONTROL_RTMP_HOST: setting.optionalText({ doc: 'Host in the RTMP URLs shown; unset: that of PUBLIC_URL.' }),
  RTMP_PORT: setting.port({ doc: 'RTMP port.', fallback: '1935' }),
  RTMPS_PORT: setting.optionalText({ doc: 'RTMPS port; unset: off.' }),
  CONTROL_KEY_SECRET: {
    doc: 'Seals the token signing key in the database: 32 random characters or more; unset: it is stored as it is.',
    schema: z
      .string()
      .min(32, '32 characters or more')
      .transform((text) => new Secret(text))
      .optional(),
    fallback: undefined,
    secret: true,
    optional: true,
  },
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
  ...controlSettings,
  HTTP_PORT: setting.port({ doc: 'Port of the REST API.', fallback: '8080' }),
  INTERNAL_HTTP_PORT: setting.port({ doc: 'Port of /metrics, /healthz and /readyz.', fallback: '8081' }),
  DATABASE_URL: setting.text({ doc: 'PostgreSQL of control and of the event log.', secret: true }),
  LOG_LEVEL: setting.oneOf({
    doc: 'Least level logged.',
    fallback: 'info',
    values: ['debug', 'info', 'warn', 'error'],
  }),
});
export type ControlProcessSettings = Settings<typeof controlProcessSettings>;

/** Reads the environment and `.env`; prints every mistake and exits 64 when there is one. */
export function readControlSettings(): ControlProcessSettings {
  return settingsOrExit(controlProcessSettings, process.env, exitCode.badConfig);
}
