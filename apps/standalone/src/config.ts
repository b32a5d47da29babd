/** Settings of standalone: those of every service, and its own. The only reader of the environment. */
import { analyticsSettings } from '@millrace/analytics/config';
import { defineSettings, type Settings, setting, settingsOrExit } from '@millrace/config';
import { controlSettings } from '@millrace/control/config';
import { deliverySettings } from '@millrace/delivery/config';
import { hubSettings } from '@millrace/hub/config';
import { ingestSettings } from '@millrace/ingest/config';
import { exitCode } from '@millrace/lifecycle';
import { mediaStoreSettings } from '@millrace/media-store';
import { progressSettings } from '@millrace/progress/config';
import { transcodeSettings } from '@millrace/transcode/config';

export const standaloneSettings = defineSettings({
  ...controlSettings,
  ...progressSettings,
  ...ingestSettings,
  ...transcodeSettings,
  ...deliverySettings,
  ...hubSettings,
  ...analyticsSettings,
  ...mediaStoreSettings,
  HTTP_HOST: setting.text({ doc: 'Address that the front listens on.', fallback: '0.0.0.0' }),
  HTTP_PORT: setting.port({ doc: 'Port of the front: studio, API, playback, metrics, health.', fallback: '8080' }),
  PUBLIC_URL: setting.optionalUrl({
    doc: 'Origin under which the world reaches the front; unset: http://localhost and HTTP_PORT.',
  }),
  DATA_DIR: setting.text({ doc: 'Folder that keeps everything: database, media, spools.', fallback: './data' }),
  DATABASE_URL: setting.optionalText({
    doc: 'PostgreSQL to use instead of the embedded one.',
    secret: true,
  }),
  LOG_LEVEL: setting.oneOf({
    doc: 'Least level that is logged.',
    fallback: 'info',
    values: ['debug', 'info', 'warn', 'error'],
  }),
  LOG_FORMAT: setting.oneOf({
    doc: 'text: one readable line an event; json: one object a line; auto: text on a terminal.',
    fallback: 'auto',
    values: ['auto', 'text', 'json'],
  }),
  DRAIN_DEADLINE_S: setting.integer({ doc: 'Longest shutdown, s.', fallback: '20', min: 1, max: 600 }),
  MILLRACE_READY_JSON: setting.flag({
    doc: 'Print one JSON line with the ports on standard output once everything runs, for programs.',
    fallback: 'false',
  }),
});
export type StandaloneSettings = Settings<typeof standaloneSettings>;

/** Reads the environment and `.env`; prints every mistake and exits 64 when there is one. */
export function readStandaloneSettings(): StandaloneSettings {
  return settingsOrExit(standaloneSettings, process.env, exitCode.badConfig);
}
