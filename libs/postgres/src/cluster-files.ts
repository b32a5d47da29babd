/** The data folder: made once by initdb, checked at every start. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresBinaries } from './binaries.ts';
import { planSpawn, type RunIdentity } from './run-identity.ts';

export interface ClusterFiles {
  readonly folder: string;
  readonly cluster: string;
  readonly passwordFile: string;
}

export const superuser = 'millrace';

export function clusterFiles(folder: string): ClusterFiles {
  return { folder, cluster: join(folder, 'cluster'), passwordFile: join(folder, 'password') };
}

/** Creates the cluster if there is none, in a neighbour folder that is renamed when complete, so that a crash leaves no half. */
export function ensureCluster(
  files: ClusterFiles,
  binaries: PostgresBinaries,
  identity: RunIdentity,
): 'made' | 'found' {
  if (existsSync(join(files.cluster, 'PG_VERSION'))) {
    const found = readFileSync(join(files.cluster, 'PG_VERSION'), 'utf8').trim();
    if (found !== String(binaries.major)) {
      throw new Error(
        `the data folder ${files.cluster} was made by PostgreSQL ${found}, this Millrace brings PostgreSQL ${binaries.major}: ` +
          `start the Millrace version that made it and dump the data, or move the folder away to begin with an empty one`,
      );
    }
    return 'found';
  }
  const making = `${files.cluster}.making`;
  rmSync(making, { recursive: true, force: true });
  if (!existsSync(files.passwordFile)) {
    writeFileSync(files.passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  }
  own(files.folder, identity);
  own(files.passwordFile, identity);
  const plan = planSpawn(identity, binaries.initdb, [
    ...['-D', making, '-U', superuser, '--encoding=UTF8', '--locale=C', '--auth-local=trust'],
    ...['--auth-host=scram-sha-256', `--pwfile=${files.passwordFile}`, '--no-instructions', '--wal-segsize=4'],
  ]);
  const run = spawnSync(plan.command, plan.args, {
    ...plan.options,
    env: postgresEnv(),
    encoding: 'utf8',
    cwd: files.folder,
  });
  if (run.status !== 0) {
    const said = `${run.stderr ?? ''}${run.stdout ?? ''}`.trim().split('\n').slice(-6).join('\n') || String(run.error);
    throw new Error(`PostgreSQL could not make its data folder ${files.cluster} (${describe(identity)}): ${said}`);
  }
  chmodSync(making, 0o700);
  renameSync(making, files.cluster);
  return 'made';
}

const searchPath = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:/run/current-system/sw/bin';

/** PostgreSQL gets nothing of our environment: a stray PGDATA or LC_ALL must not change what it does. */
export function postgresEnv(): Record<string, string> {
  return { PATH: searchPath, LC_ALL: 'C', TZ: 'UTC' };
}

/** Longest path of a unix socket, bytes (sun_path less its closing zero). */
const maxSocketPath = 107;

/**
 * A 0700 folder for the unix socket: inside the data folder, or in the system's temporary folder where the path would be
 * too long. Undefined where neither fits or the system has no unix sockets: then 127.0.0.1 and the password.
 */
export function socketFolder(
  files: ClusterFiles,
  identity: RunIdentity,
  platform = process.platform,
  temp = tmpdir(),
): string | undefined {
  if (platform === 'win32') return undefined;
  const fits = (folder: string) => Buffer.byteLength(join(folder, '.s.PGSQL.5432.lock')) <= maxSocketPath;
  const inside = join(files.folder, 'run');
  if (fits(inside)) {
    mkdirSync(inside, { recursive: true, mode: 0o700 });
    own(inside, identity);
    return inside;
  }
  if (!fits(join(temp, 'millrace-XXXXXX'))) return undefined;
  const outside = mkdtempSync(join(temp, 'millrace-'));
  own(outside, identity);
  return outside;
}

function describe(identity: RunIdentity): string {
  switch (identity.kind) {
    case 'self':
      return `as uid ${process.getuid?.() ?? 'of this process'}`;
    case 'user-namespace':
      return 'as root, in a user namespace';
    case 'other-user':
      return `as root, running PostgreSQL as ${identity.name}, who must be able to reach the folder and node_modules`;
  }
}

function own(path: string, identity: RunIdentity): void {
  if (identity.kind === 'other-user') chownSync(path, identity.uid, identity.gid);
}
