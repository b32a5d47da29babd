import { describeSettings, type SettingsTable } from '@millrace/config';
import { appModules } from './app-modules.ts';
import { heading, table } from './markdown.ts';

/** docs/generated/settings.md: the environment variables of each app, from the table in its config.ts. */
export async function settingsPage(): Promise<string> {
  let page = heading(
    'Settings',
    'each app’s `src/config.ts`',
    'Settings are environment variables; a file `.env` in the folder you start from may hold them too, and a real variable goes before it. All mistakes are listed at once, and the process ends with exit code 64. `npm start` runs **standalone**; the other sections are for services that run apart.',
  );
  const modules = await appModules('config.ts');
  // What `npm start` reads comes first.
  const order = [...modules].sort((a, b) => Number(b.app === 'standalone') - Number(a.app === 'standalone'));
  for (const { app, exports } of order) {
    const merged: Record<string, SettingsTable[string]> = {};
    for (const value of Object.values(exports)) if (isSettingsTable(value)) Object.assign(merged, value);
    if (Object.keys(merged).length === 0) throw new Error(`apps/${app}/src/config.ts exports no settings table`);
    const rows = describeSettings(merged).map(({ variable, fallback, doc }) => [
      `\`${variable}\``,
      shown(fallback),
      doc,
    ]);
    page += `## ${app}\n\n${table(['variable', 'default', 'what it sets'], rows)}\n`;
  }
  return `${page.trimEnd()}\n`;
}

function shown(fallback: string): string {
  if (fallback === 'required' || fallback === 'unset') return fallback;
  return fallback === '' ? 'empty' : `\`${fallback}\``;
}

/** Whether an export is a table made by `defineSettings`. */
function isSettingsTable(value: unknown): value is SettingsTable {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.values(value as Record<string, unknown>);
  return entries.length > 0 && entries.every((entry) => isRecord(entry) && 'schema' in entry && 'doc' in entry);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
