/** Settings that every service reads when it is a process of its own, in one table, so that they mean the same everywhere. */
import {
  defineSettings,
  loadSettings,
  readDotEnv,
  type SettingMistake,
  type Settings,
  type SettingsTable,
  setting,
} from '@millrace/config';
import { eventLogSettings } from '@millrace/eventlog';
import { exitCode } from '@millrace/lifecycle';

export const processSettings = defineSettings({
  ...eventLogSettings,
  DATABASE_URL: setting.optionalText({
    doc: 'PostgreSQL of the event log; needed only where KAFKA_BROKERS is empty.',
    secret: true,
  }),
  DATA_DIR: setting.text({
    doc: 'Folder of what has to survive a restart: the fact spool, media.',
    fallback: './data',
  }),
  INTERNAL_HTTP_PORT: setting.port({
    doc: 'Port for other services (`/internal`), `/metrics`, `/healthz` and `/readyz`; never for the world.',
    fallback: '8081',
  }),
  MILLRACE_SERVICE_TOKEN: setting.text({
    doc: 'Token that services show each other, at least 16 characters.',
    secret: true,
    pattern: /^\S{16,}$/,
  }),
  LOG_LEVEL: setting.oneOf({
    doc: 'Least level that is logged.',
    fallback: 'info',
    values: ['debug', 'info', 'warn', 'error'],
  }),
  DRAIN_DEADLINE_S: setting.integer({ doc: 'Longest shutdown, s.', fallback: '15', min: 1, max: 600 }),
});
export type ProcessSettings = Settings<typeof processSettings>;

/**
 * Settings of a process from `.env` in the working folder and `env`, which goes before it. On mistakes it prints all of
 * them, one a line, and ends the process with exit code 64. Only a config.ts calls this.
 */
export function processSettingsOrExit<S extends SettingsTable>(
  table: S,
  env: Readonly<Record<string, string | undefined>>,
): Settings<S> {
  const loaded = loadSettings(table, { ...readDotEnv('.env'), ...env });
  const mistakes = loaded.ok ? mistakesTogether(loaded.value) : loaded.error;
  if (loaded.ok && mistakes.length === 0) return loaded.value;
  for (const { variable, expected, got } of mistakes) {
    process.stderr.write(`${variable}: expected ${expected}, got ${got}\n`);
  }
  process.exit(exitCode.badConfig);
}

/** Mistakes that no setting makes alone. */
function mistakesTogether(settings: Readonly<Record<string, unknown>>): readonly SettingMistake[] {
  const { KAFKA_BROKERS: brokers, DATABASE_URL: database } = settings;
  if (!Array.isArray(brokers) || brokers.length > 0 || database !== undefined) return [];
  const expected = 'Kafka brokers (host:port,...), or DATABASE_URL for an event log in PostgreSQL';
  return [{ variable: 'KAFKA_BROKERS', expected, got: 'neither' }];
}
