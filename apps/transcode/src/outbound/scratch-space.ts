import { mkdir, readdir, rm, stat, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '@millrace/clock';
import { lockFolder } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { ScratchSpace } from '../core/scratch.ts';
import { endLeftovers } from './leftover-processes.ts';

export interface ScratchSpaceOptions {
  /** This worker's own; made when it is not there. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** What a run before this one left here and was removed. */
  readonly onLeftovers: (left: { readonly processes: number; readonly folders: number }) => void;
  /** A folder that could not be removed: it is at the next start. */
  readonly onStuck: () => void;
}

/** Names a folder may have; a lease that is called otherwise gets none. */
const namePattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;
const lockName = '.lock';

/**
 * Folders below one that belongs to this process alone. Opening it ends what processes a killed worker left and empties the folder;
 * throws when another worker runs in it.
 */
export async function openScratchSpace(options: ScratchSpaceOptions): Promise<ScratchSpace & Disposable> {
  const { clock, log } = options;
  const root = resolve(options.folder);
  await mkdir(root, { recursive: true, mode: 0o700 });
  const lock = lockFolder(join(root, lockName), root);
  const open = new Map<string, string>();
  try {
    const processes = await endLeftovers(root, clock, log);
    const folders = (await readdir(root)).filter((name) => name !== lockName);
    for (const name of folders) await rm(join(root, name), { recursive: true, force: true, maxRetries: 3 });
    if (processes + folders.length > 0) log.warn('leftovers-removed', { processes, folders: folders.length, root });
    options.onLeftovers({ processes, folders: folders.length });
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }

  return {
    async open(lease) {
      if (!namePattern.test(lease))
        throw new Error(`expected a lease named like ${String(namePattern)}, got "${lease}"`);
      const path = join(root, lease);
      await mkdir(path, { mode: 0o700 });
      open.set(lease, path);
      return {
        path,
        async remove() {
          try {
            await rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
          } catch (error) {
            options.onStuck();
            log.error('scratch-not-removed', { path, error });
          }
          open.delete(lease);
        },
      };
    },
    async measure() {
      const sizes = await Promise.all([...open].map(async ([lease, path]) => [lease, await sizeOf(path)] as const));
      return new Map(sizes);
    },
    async freeBytes() {
      const { bavail, bsize } = await statfs(root);
      return bavail * bsize;
    },
    [Symbol.dispose]: () => lock[Symbol.dispose](),
  };
}

/** Bytes of all files in a folder that may be changing. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    bytes += await stat(join(entry.parentPath, entry.name)).then(
      ({ size }) => size,
      () => 0, // gone since
    );
  }
  return bytes;
}
