/**
 * Locks of uploads as @tus/server asks for them, over rows that every instance respects. Who waits asks the holder to stop; the
 * holder keeps what it has read, stores it, and lets go. A holder that died is replaced when its lock is not renewed.
 */
import { type Clock, sleep } from '@millrace/clock';
import type { Logger } from '@millrace/log';
import type { Lock, Locker, RequestRelease } from '@tus/server';
import type { UploadLocks } from '../core/upload-rows.ts';
import { refused } from './upload-answers.ts';

interface Held {
  readonly token: string;
  readonly askToStop: () => void;
  /** Settles when what is being written is in the database, or was given up. */
  writing: Promise<unknown>;
}

/** A lock of one request. */
export interface UploadLock extends Lock {
  /** What shows the database that it is held; undefined while it is not. */
  readonly token: string | undefined;
}

export interface UploadLockerDeps {
  readonly locks: UploadLocks;
  readonly clock: Clock;
  readonly log: Logger;
  readonly newToken: () => string;
}

const renewMs = 1_000;
const retryMs = 100;
/** Longer than a lock lives that nobody renews. */
const patienceMs = 12_000;

export class UploadLocker implements Locker {
  readonly #deps: UploadLockerDeps;
  readonly #held = new Map<string, Held>();

  constructor(deps: UploadLockerDeps) {
    this.#deps = deps;
  }

  newLock(uploadId: string): UploadLock {
    let token: string | undefined;
    return {
      get token() {
        return token;
      },
      lock: async (signal, requestRelease) => {
        token = await this.#take(uploadId, signal, requestRelease);
      },
      unlock: async () => {
        if (token !== undefined) await this.#release(uploadId, token);
        token = undefined;
      },
    };
  }

  /** Keeps the lock until `work` has settled, even if its request has ended. */
  during<T>(uploadId: string, work: Promise<T>): Promise<T> {
    const held = this.#held.get(uploadId);
    if (held !== undefined) held.writing = work.catch(() => {}); // its request is told
    return work;
  }

  /** Renews what is held until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, locks, log } = this.#deps;
    while (!signal.aborted) {
      await sleep(clock, renewMs, signal);
      if (this.#held.size === 0) continue;
      const tokens = new Map([...this.#held].map(([uploadId, { token }]) => [uploadId, token]));
      try {
        const { wanted, lost } = await locks.renew(tokens);
        for (const uploadId of [...wanted, ...lost]) {
          const held = this.#held.get(uploadId);
          if (held !== undefined && held.token === tokens.get(uploadId)) held.askToStop();
        }
      } catch (error) {
        log.warn('upload-locks-not-renewed', { error }); // a write under a lock that lapsed is refused by the database
      }
    }
  }

  async #take(uploadId: string, signal: AbortSignal, requestRelease: RequestRelease): Promise<string> {
    const { locks, clock, newToken } = this.#deps;
    const token = newToken();
    const deadlineMs = clock.monotonicMs() + patienceMs;
    while (!signal.aborted && clock.monotonicMs() < deadlineMs) {
      const here = this.#held.get(uploadId);
      if (here !== undefined) here.askToStop();
      else if (await locks.take(uploadId, token)) {
        this.#held.set(uploadId, { token, askToStop: () => void requestRelease(), writing: Promise.resolve() });
        return token;
      }
      await sleep(clock, retryMs, signal);
    }
    throw refused(423, 'upload-locked', `another request is writing upload ${uploadId}`);
  }

  async #release(uploadId: string, token: string): Promise<void> {
    const held = this.#held.get(uploadId);
    await held?.writing;
    if (held?.token === token) this.#held.delete(uploadId);
    await this.#deps.locks.release(uploadId, token).catch((error: unknown) => {
      this.#deps.log.warn('upload-lock-not-released', { upload_id: uploadId, error }); // it lapses by itself
    });
  }
}
