/**
 * The folder of files that are being written. Several processes, on several machines too, may have one store open: so a draft's
 * name says whose it is, and only what certainly nobody writes any more is removed.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isAlive, startMark } from '@millrace/lifecycle';

/** A draft of another machine that was not written to for so long is nobody's, ms. */
const abandonedMs = 24 * 3_600_000;

export class Drafts {
  readonly #folder: string;
  readonly #owner: string;
  #count = 0;

  constructor(folder: string) {
    this.#folder = folder;
    this.#owner = [hostMark(), process.pid, startMark(process.pid) ?? 0, randomBytes(6).toString('hex')]
      .map((word) => String(word).replaceAll(/\W/g, '_'))
      .join('-');
  }

  /** Path of a new draft. */
  next(): string {
    return join(this.#folder, `${this.#owner}-${this.#count++}`);
  }

  /** Makes the folder and removes what dead processes left in it. */
  async prepare(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      if (await isAbandoned(name, path)) await rm(path, { recursive: true, force: true });
    }
  }
}

async function isAbandoned(name: string, path: string): Promise<boolean> {
  const [host, pid, mark, token] = name.split('-');
  // Not of this naming: from before it, when one process had a store.
  if (token === undefined) return true;
  if (host === hostMark()) {
    const owner = Number(pid);
    return !isAlive(owner) || String(startMark(owner) ?? 0).replaceAll(/\W/g, '_') !== mark;
  }
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && Date.now() - info.mtimeMs > abandonedMs;
}

function hostMark(): string {
  return hostname().replaceAll(/\W/g, '_').slice(0, 60);
}
