import { readDotEnv } from './dot-env.ts';
import { loadSettings, type Settings, type SettingsTable } from './settings.ts';

/**
 * Settings of a process from `.env` in the working folder and `env`, which goes before it. On mistakes it prints all of them,
 * one a line, and ends the process with `exitCode`. Only a config.ts calls this.
 */
export function settingsOrExit<S extends SettingsTable>(
  table: S,
  env: Readonly<Record<string, string | undefined>>,
  exitCode: number,
): Settings<S> {
  const loaded = loadSettings(table, { ...readDotEnv('.env'), ...env });
  if (loaded.ok) return loaded.value;
  for (const { variable, expected, got } of loaded.error) {
    process.stderr.write(`${variable}: expected ${expected}, got ${got}\n`);
  }
  process.exit(exitCode);
}
