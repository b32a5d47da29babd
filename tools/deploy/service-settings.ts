/** The settings of each service as its config.ts declares them, for checks of files that name them. */
import type { SettingsTable } from '@millrace/config';
import { appModules } from '../docs/app-modules.ts';

/** The process settings of every app that runs as a service of its own, by its name. */
export async function serviceSettingTables(): Promise<ReadonlyMap<string, SettingsTable>> {
  const tables = new Map<string, SettingsTable>();
  for (const { app, exports } of await appModules('config.ts')) {
    const table = exports[`${app}ProcessSettings`];
    if (table !== undefined) tables.set(app, table as SettingsTable);
  }
  return tables;
}

/** What is wrong with an environment for a service: names it does not know, values it refuses, settings it lacks. */
export function settingMistakes(table: SettingsTable, env: Readonly<Record<string, string>>): readonly string[] {
  const unknown = Object.keys(env).filter((name) => !(name in table));
  const missing = Object.entries(table).flatMap(([name, { fallback, optional }]) =>
    fallback === undefined && !optional && !env[name] ? [name] : [],
  );
  const refused = Object.entries(table).flatMap(([name, { schema }]) => {
    const value = env[name];
    if (value === undefined || value === '') return [];
    const parsed = schema.safeParse(value);
    return parsed.success ? [] : [`${name}=${value}: ${parsed.error.issues.map(({ message }) => message).join('; ')}`];
  });
  return [
    ...unknown.map((name) => `${name} is no setting of it`),
    ...missing.map((name) => `${name} is required`),
    ...refused,
  ];
}
