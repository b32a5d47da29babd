/**
 * Fetches originals from URLs, a few at a time. No request waits for it. Any instance may do it; what one that died had fetched is
 * fetched again by the next. A server that breaks off, or that has a bad moment, is tried again.
 */
import type { Clock } from '@millrace/clock';
import type { PublicAnswer, PublicFetch } from '@millrace/http';
import { backoffMs } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { MediaStore } from '@millrace/media-store';
import { err, ok, type Result } from '@millrace/result';
import { DueLoop } from '../core/due-loop.ts';
import type { ImportRecord } from '../core/import-rows.ts';
import type { ProgressStore } from '../core/store.ts';
import { sourceArrived, sourceFailed, sourceKeyOf, type VideoImports } from '../core/video-source.ts';
import type { SubmissionDeps } from '../core/video-submission.ts';

export interface ImporterDeps extends SubmissionDeps {
  readonly store: ProgressStore;
  readonly mediaStore: MediaStore;
  readonly fetch: PublicFetch;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: {
    readonly imports: { inc(labels: { readonly outcome: string }): void };
    readonly importBytes: { inc(bytes: number): void };
    readonly loopFailures: { inc(labels: { readonly loop: string }): void };
  };
  /** Largest original, bytes. */
  readonly maxBytes: number;
  /** Bytes of originals of one owner. */
  readonly maxOwnerBytes: number;
}

interface Failure {
  /** For the owner; never the URL. */
  readonly reason: string;
  readonly retryable: boolean;
}

/** An instance that dies while it fetches leaves it to others after this, ms; who lives puts it off again in time. */
const takenMs = 15_000;
const goesOnMs = 5_000;
const mostTries = 6;

export class Importer implements VideoImports {
  readonly #deps: ImporterDeps;
  readonly #loops: DueLoop[] = [];

  constructor(deps: ImporterDeps) {
    this.#deps = deps;
  }

  refuse(url: string): string | undefined {
    return this.#deps.fetch.refuse(url);
  }

  async start(...[tx, video, url, nowMs]: Parameters<VideoImports['start']>): Promise<void> {
    await tx.imports.add({ videoId: video.videoId, ownerId: video.ownerId, url }, nowMs);
    tx.afterCommit(() => {
      for (const loop of this.#loops) loop.wake();
    });
  }

  /** A loop that fetches what is due, one at a time. As many are run as originals are to be fetched at once. */
  addLoop(): DueLoop {
    const work = (signal: AbortSignal) => this.importOne(signal);
    const loop = new DueLoop({ ...this.#deps, name: 'importer', failureEvent: 'import-not-done', work });
    this.#loops.push(loop);
    return loop;
  }

  /** Fetches the original whose turn it is; false: there is none. */
  async importOne(signal: AbortSignal): Promise<boolean> {
    const { store, clock, log } = this.#deps;
    const nowMs = clock.nowMs();
    const wish = await store.imports.take(nowMs, nowMs + takenMs);
    if (wish === undefined) return false;
    const over = new AbortController();
    const timer = clock.every(goesOnMs, () => {
      store.imports.putOff(wish.videoId, clock.nowMs() + takenMs).then(
        (goesOn) => {
          if (!goesOn) over.abort(new Error('its video was deleted'));
        },
        (error: unknown) => log.warn('import-not-put-off', { video_id: wish.videoId, error }), // at worst it is done twice
      );
    });
    try {
      const fetched = await this.#fetch(wish, AbortSignal.any([signal, over.signal]));
      if (fetched.ok) await this.#arrived(wish, fetched.value);
      else await this.#failed(wish, fetched.error);
    } catch (error) {
      if (!over.signal.aborted) throw error;
    } finally {
      timer.cancel();
    }
    return true;
  }

  async #fetch(wish: ImportRecord, signal: AbortSignal): Promise<Result<number, Failure>> {
    const asked = await this.#deps.fetch.fetch(wish.url, { signal });
    if (!asked.ok) {
      const { kind, message } = asked.error;
      return err({ reason: `the URL cannot be fetched: ${message}`, retryable: kind === 'unreachable' });
    }
    using answer = asked.value;
    if (answer.status !== 200) {
      const retryable = answer.status === 429 || answer.status === 408 || answer.status >= 500;
      return err({ reason: `expected the file from the URL, its server answered ${answer.status}`, retryable });
    }
    const announced = Number(answer.headers['content-length'] ?? Number.NaN);
    const most = await this.#room(wish.ownerId);
    if (announced > most) return err(tooLarge(most, `${announced} bytes`));
    return await this.#keep(wish, answer, most, announced, signal); // the answer is disposed of behind it
  }

  async #keep(
    wish: ImportRecord,
    answer: PublicAnswer,
    most: number,
    announced: number,
    signal: AbortSignal,
  ): Promise<Result<number, Failure>> {
    const { mediaStore, metrics } = this.#deps;
    const counted = { bytes: 0 };
    // what breaks while a body is written comes back as a failure of the store
    let broken: unknown;
    const body = (async function* () {
      try {
        for await (const bytes of answer.bytes) {
          counted.bytes += bytes.length;
          if (counted.bytes > most) throw new Error('too large');
          metrics.importBytes.inc(bytes.length);
          yield bytes;
        }
        if (counted.bytes < announced) throw new Error(`it ended after ${counted.bytes} of ${announced} bytes`);
      } catch (error) {
        broken = error;
        throw error;
      }
    })();
    const written = await mediaStore.put(sourceKeyOf(wish.videoId), body).catch((error: unknown) => {
      if (broken === undefined) throw error;
      return undefined;
    });
    signal.throwIfAborted();
    if (counted.bytes > most) return err(tooLarge(most, 'more'));
    if (broken !== undefined) {
      const said = broken instanceof Error ? broken.message : 'no reason was given';
      return err({ reason: `the server of the URL broke off: ${said}`, retryable: true });
    }
    if (written?.ok === true && written.value.size > 0) return ok(written.value.size);
    if (written?.ok === true) return err({ reason: 'expected a file from the URL, it is empty', retryable: false });
    const full = written?.error.kind === 'full';
    const reason = full ? 'no space was left to store the original' : 'the media store did not take the original';
    return err({ reason, retryable: true });
  }

  /** Bytes that one more original of the owner may have. */
  async #room(ownerId: string): Promise<number> {
    const { store, maxBytes, maxOwnerBytes } = this.#deps;
    const [stored, open] = [await store.videos.sourceBytes(ownerId), await store.uploads.open(ownerId)];
    return Math.max(0, Math.min(maxBytes, maxOwnerBytes - stored - open.bytes));
  }

  async #arrived(wish: ImportRecord, sizeBytes: number): Promise<void> {
    const { store, clock, metrics } = this.#deps;
    const nowMs = clock.nowMs();
    const key = sourceKeyOf(wish.videoId);
    await store.transaction(async (tx) => {
      const video = await tx.videos.lock(wish.videoId);
      await tx.imports.remove(wish.videoId);
      if (video === undefined)
        await tx.cleanups.add([{ key }], nowMs); // deleted meanwhile
      else if (video.sourceState === 'importing') await sourceArrived(tx, this.#deps, video, { key, sizeBytes }, nowMs);
    });
    metrics.imports.inc({ outcome: 'done' });
  }

  async #failed(wish: ImportRecord, failure: Failure): Promise<void> {
    const { store, clock, log, metrics } = this.#deps;
    const nowMs = clock.nowMs();
    log.warn('import-failed', { video_id: wish.videoId, tries: wish.tries, reason: failure.reason });
    if (failure.retryable && wish.tries < mostTries) {
      metrics.imports.inc({ outcome: 'retried' });
      await store.imports.putOff(wish.videoId, nowMs + backoffMs(wish.tries, 2_000, 300_000, Math.random()));
      return;
    }
    await store.transaction(async (tx) => {
      const video = await tx.videos.lock(wish.videoId);
      await tx.imports.remove(wish.videoId);
      if (video?.sourceState === 'importing') await sourceFailed(tx, video, failure.reason, nowMs);
    });
    metrics.imports.inc({ outcome: 'failed' });
  }
}

function tooLarge(most: number, got: string): Failure {
  return { reason: `expected an original of at most ${most} bytes, the URL has ${got}`, retryable: false };
}
