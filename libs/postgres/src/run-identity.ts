/**
 * As whom PostgreSQL runs: it refuses root. A plain user runs it directly. Root runs it in a user namespace that shows
 * root's own files as uid 1000's, which works inside a 0700 folder, too; where namespaces are forbidden, as another
 * unprivileged user, who must be able to reach the folder and the binaries.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';

export type RunIdentity =
  | { readonly kind: 'self' }
  | { readonly kind: 'user-namespace' }
  | { readonly kind: 'other-user'; readonly name: string; readonly uid: number; readonly gid: number };

export interface SpawnPlan {
  readonly command: string;
  readonly args: readonly string[];
  readonly options: { readonly uid?: number; readonly gid?: number };
}

/** Chooses the identity for a data folder (which may not exist yet): an existing one goes on under its owner. */
export function chooseIdentity(
  dataFolder: string,
  machine: { readonly uid: number | undefined; readonly canUnshare: () => boolean } = thisMachine,
): RunIdentity {
  if (machine.uid !== 0) return { kind: 'self' };
  const owner = statSync(dataFolder, { throwIfNoEntry: false });
  if (owner !== undefined && owner.uid !== 0) {
    return { kind: 'other-user', name: `uid ${owner.uid}`, uid: owner.uid, gid: owner.gid };
  }
  if (machine.canUnshare()) return { kind: 'user-namespace' };
  const fallback = unprivilegedUser(readFileSync('/etc/passwd', 'utf8'));
  return { kind: 'other-user', ...fallback };
}

/** How to spawn `command` under `identity`. */
export function planSpawn(identity: RunIdentity, command: string, args: readonly string[]): SpawnPlan {
  switch (identity.kind) {
    case 'self':
      return { command, args, options: {} };
    case 'user-namespace':
      return { command: 'unshare', args: ['--user', '--map-user=1000', '--', command, ...args], options: {} };
    case 'other-user':
      return { command, args, options: { uid: identity.uid, gid: identity.gid } };
  }
}

/** `postgres` where the system has it, else `nobody`. */
export function unprivilegedUser(passwd: string): { name: string; uid: number; gid: number } {
  const rows = passwd.split('\n').map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const row = rows.find(([name]) => name === wanted);
    if (row?.[2] && row[3] && Number(row[2]) !== 0) return { name: wanted, uid: Number(row[2]), gid: Number(row[3]) };
  }
  return { name: 'nobody', uid: 65_534, gid: 65_534 };
}

const thisMachine = {
  uid: process.getuid?.(),
  canUnshare: () => spawnSync('unshare', ['--user', '--map-user=1000', '--', 'true'], { stdio: 'ignore' }).status === 0,
};
