/**
 * A named pipe that the engine writes a result into, in any format, as it makes it: what the reader does not take stays in the
 * pipe (64 KB) and holds the query up. Both ends are opened here first, so that neither side ever blocks in open.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';

export interface ResultPipe {
  readonly path: string;
  /** Starts reading; `end` says that the writer is done, upon which the stream ends after what is still in the pipe. */
  open(): { readonly stream: Socket; readonly end: () => void };
}

/** Makes `count` pipes in `dir`. */
export function makeResultPipes(dir: string, count: number): ResultPipe[] {
  const paths = Array.from({ length: count }, (_, index) => join(dir, `result-${index}`));
  for (const path of paths) rmSync(path, { force: true });
  const made = spawnSync('mkfifo', ['-m', '600', ...paths], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`mkfifo failed in ${dir}: ${made.error?.message ?? made.stderr}`);
  return paths.map((path) => ({ path, open: () => openPipe(path) }));
}

function openPipe(path: string): { stream: Socket; end: () => void } {
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const stream = new Socket({ fd: reader, readable: true, writable: false });
  let ended = false;
  return {
    stream,
    end: () => {
      if (!ended) closeSync(writer);
      ended = true;
    },
  };
}
