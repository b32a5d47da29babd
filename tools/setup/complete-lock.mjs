/**
 * Completes package-lock.json: `node tools/setup/complete-lock.mjs`. A package with a binary per platform names all of them as
 * optional dependencies, and `npm ci` refuses a lock file that lacks one. `npm install` leaves out those that the registry it
 * asks cannot serve, as a mirror may. They are added here, without a checksum, marked for their platform, so that npm
 * neither asks for them nor misses them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { pathToFileURL } from 'node:url';
import { inRepository } from './workspace.mjs';

/**
 * @typedef {{ version?: string, optional?: boolean, dev?: boolean, optionalDependencies?: Record<string, string>, os?: string[], cpu?: string[], libc?: string[] }} LockEntry
 */

/**
 * Optional dependencies that no entry of the lock file answers for.
 * @param {Record<string, LockEntry>} packages
 * @returns {{ path: string, name: string, range: string, dev: boolean }[]}
 */
export function missingOptional(packages) {
  return Object.entries(packages).flatMap(([path, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(([name]) => !resolves(packages, path, name))
      .map(([name, range]) => ({ path, name, range, dev: entry.dev === true })),
  );
}

/**
 * Whether a require of `name` from the package at `path` finds an entry, as Node looks: here, then in each folder above.
 * @param {Record<string, LockEntry>} packages
 * @param {string} path
 * @param {string} name
 */
function resolves(packages, path, name) {
  for (
    let from = path;
    ;
    from = from.includes('/node_modules/') ? from.slice(0, from.lastIndexOf('/node_modules/')) : ''
  ) {
    if (packages[from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`]) return true;
    if (from === '') return false;
  }
}

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const machines = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64', 'wasm32'];

/**
 * Operating system and processor out of a name such as `@scope/tool-linux-arm64-musl`.
 * @param {string} name
 * @returns {LockEntry}
 */
export function platformOf(name) {
  const words = name.split(/[^a-z0-9]+/);
  const system = systems.find((each) => words.includes(each) || (each === 'win32' && words.includes('windows')));
  const machine = machines.find((each) => words.includes(each)) ?? (words.includes('universal') ? undefined : 'none');
  return {
    ...(machine ? { cpu: [words.includes('armv7') || words.includes('gnueabihf') ? 'arm' : machine] } : {}),
    os: [system ?? 'none'],
    ...(words.includes('musl') ? { libc: ['musl'] } : words.includes('gnu') ? { libc: ['glibc'] } : {}),
  };
}

if (import.meta.url === pathToFileURL(argv[1] ?? '').href) {
  const file = inRepository('package-lock.json');
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const missing = missingOptional(lock.packages);
  for (const { name, range, dev } of missing) {
    const version = range.replace(/^[\^~>=\s]+/, '').split(' ')[0] ?? range;
    lock.packages[`node_modules/${name}`] = { version, ...(dev ? { dev } : {}), ...platformOf(name), optional: true };
  }
  const [own, ...rest] = Object.keys(lock.packages);
  lock.packages = Object.fromEntries(
    [own ?? '', ...rest.sort((a, b) => a.localeCompare(b, 'en'))].map((path) => [path, lock.packages[path]]),
  );
  if (missing.length > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  process.stdout.write(`${missing.length} added\n`);
}
