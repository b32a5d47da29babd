/**
 * The bytes of an object as they come. A connection that breaks, or over which nothing comes for too long, is replaced by one that
 * goes on where it ended, of the same object only: one that was replaced meanwhile is an error.
 */
import type { Readable } from 'node:stream';
import type { StoreObserver } from '../store-observer.ts';

export interface OpenedBody {
  readonly body: Readable;
  /** Offsets of what it will give, inclusive. */
  readonly start: number;
  readonly end: number;
}

export interface ReadDeps {
  /** Opens the same object from an offset on. */
  readonly reopen: (start: number, end: number) => Promise<OpenedBody>;
  readonly observer: StoreObserver;
  /** Longest wait for the next bytes, ms. */
  readonly idleMs: number;
}

const mostResumes = 4;

export async function* readBody(opened: OpenedBody, deps: ReadDeps): AsyncGenerator<Uint8Array, void, undefined> {
  const { end } = opened;
  let { body, start: at } = opened;
  let resumes = 0;
  try {
    for (;;) {
      const pieces = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
      let broken: Error | undefined;
      for (;;) {
        const next = await withinIdle(pieces.next(), deps.idleMs).catch((error: unknown) => {
          broken = error instanceof Error ? error : new Error(String(error));
        });
        if (next === undefined || next.done === true) break;
        at += next.value.byteLength;
        deps.observer.bytes('in', next.value.byteLength);
        yield next.value;
      }
      if (at > end) return;
      body.destroy();
      if (resumes++ >= mostResumes) throw broken ?? new Error(`expected bytes up to ${end}, got them up to ${at - 1}`);
      ({ body } = await deps.reopen(at, end));
      deps.observer.readResumed();
    }
  } finally {
    body.destroy();
  }
}

async function withinIdle<T>(next: Promise<T>, idleMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no bytes came for ${idleMs} ms`)), idleMs);
  });
  try {
    return await Promise.race([next, late]);
  } finally {
    clearTimeout(timer);
  }
}
