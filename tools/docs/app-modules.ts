/** Modules of the apps, by their place in the folder layout that every service shares. */
import { existsSync, readdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { inRepository } from '../setup/workspace.mjs';

export interface AppModule {
  readonly app: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

/** Imports `apps/<app>/src/<file>` of every app that has it, in the order of their names. */
export async function appModules(file: string): Promise<readonly AppModule[]> {
  const apps = readdirSync(inRepository('apps')).filter((app) => existsSync(inRepository('apps', app, 'src', file)));
  const modules: AppModule[] = [];
  for (const app of apps.sort()) {
    const url = pathToFileURL(inRepository('apps', app, 'src', file)).href;
    modules.push({ app, exports: (await import(url)) as Record<string, unknown> });
  }
  return modules;
}
