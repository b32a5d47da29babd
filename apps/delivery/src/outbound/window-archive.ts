/**
 * Writes complete segments behind the live window to the media store, and deletes what left it, so that memory and disk
 * both stay bounded. Jobs of one window run one after another; a few windows run at once. When the store is too slow or
 * full, segments are not archived: they stay in memory for as long as it lasts.
 */
import type { Logger } from '@millrace/log';
import type { MediaStore, StoreFailure } from '@millrace/media-store';
import type { Result } from '@millrace/result';
import type { DeliveryMetrics } from '../metrics.ts';

export interface WindowArchiveOptions {
  readonly store: MediaStore;
  /** Everything below it belongs to this instance: `live/{instance}/`. */
  readonly prefix: string;
  readonly queueCapacity: number;
  readonly metrics: DeliveryMetrics;
  readonly log: Logger;
}

const lanes = 4;
/** Deletions may queue beyond the writes: refusing one leaves a file behind until the window goes. */
const deletionsPerWrite = 4;

type Job = () => Promise<void>;

export class WindowArchive implements AsyncDisposable {
  readonly #options: WindowArchiveOptions;
  readonly #lanes: Promise<void>[] = Array.from({ length: lanes }, () => Promise.resolve());
  readonly #warned = new Set<string>();
  #queued = 0;

  constructor(options: WindowArchiveOptions) {
    this.#options = options;
  }

  /** Jobs that wait or run. */
  get queued(): number {
    return this.#queued;
  }

  /** The key of a segment in the store. */
  key(windowId: string, rendition: string, segment: number): string {
    return `${this.#options.prefix}${windowId}/${rendition}/${segment}.m4s`;
  }

  /** Removes what an earlier run of this instance left behind: no window can name it any more. */
  async sweep(): Promise<void> {
    const { store, prefix, log } = this.#options;
    const swept = await store.deletePrefix(prefix);
    if (!swept.ok) log.warn('archive-not-swept', { failure: swept.error });
    else if (swept.value.deleted > 0) log.info('archive-swept', { segments: swept.value.deleted });
  }

  /** Queues a segment; `onStored` is called when the store has it. */
  store(windowId: string, key: string, media: readonly (readonly Uint8Array[])[], onStored: () => void): void {
    const { store, metrics, queueCapacity } = this.#options;
    if (this.#queued >= queueCapacity) {
      metrics.archiveWrites.inc({ outcome: 'queue-full' });
      return this.#warnOnce('queue-full', { queued: this.#queued });
    }
    this.#enqueue(windowId, async () => {
      const written = await store.put(key, media.flat());
      metrics.archiveWrites.inc({ outcome: outcomeOf(written) });
      if (!written.ok) return this.#warnOnce(written.error.kind, { failure: written.error });
      this.#warned.clear();
      onStored();
    });
  }

  /** Queues the deletion of segments that expired. */
  remove(windowId: string, keys: readonly string[]): void {
    const { store, metrics, queueCapacity } = this.#options;
    if (keys.length === 0) return;
    if (this.#queued >= queueCapacity * deletionsPerWrite) {
      metrics.archiveDeletes.inc({ outcome: 'queue-full' }, keys.length);
      return;
    }
    this.#enqueue(windowId, async () => {
      for (const key of keys) metrics.archiveDeletes.inc({ outcome: outcomeOf(await store.delete(key)) });
    });
  }

  /** Queues the deletion of all of a window. It is never refused: windows are few. */
  removeWindow(windowId: string): void {
    const { store, prefix, metrics } = this.#options;
    this.#enqueue(windowId, async () => {
      metrics.archiveDeletes.inc({ outcome: outcomeOf(await store.deletePrefix(`${prefix}${windowId}/`)) });
    });
  }

  /** Waits for everything queued. */
  async flush(): Promise<void> {
    while (this.#queued > 0) await Promise.all(this.#lanes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
  }

  #enqueue(windowId: string, job: Job): void {
    const lane = laneOf(windowId);
    this.#queued++;
    this.#lanes[lane] = (this.#lanes[lane] ?? Promise.resolve())
      .then(job)
      .catch((error: unknown) => this.#options.log.error('archive-job-crashed', { error }))
      .finally(() => this.#queued--);
  }

  /** One line for each kind of trouble until a write works again; the metric has the count. */
  #warnOnce(kind: string, fields: Readonly<Record<string, unknown>>): void {
    if (this.#warned.has(kind)) return;
    this.#warned.add(kind);
    this.#options.log.warn('segment-not-archived', { reason: kind, ...fields });
  }
}

function laneOf(windowId: string): number {
  let hash = 0;
  for (let i = 0; i < windowId.length; i++) hash = (hash * 31 + windowId.charCodeAt(i)) >>> 0;
  return hash % lanes;
}

function outcomeOf(result: Result<unknown, StoreFailure>): string {
  return result.ok ? 'ok' : result.error.kind;
}
