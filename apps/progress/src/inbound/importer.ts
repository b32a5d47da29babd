/** Fetches originals of videos from URLs, a few at a time. No request waits for it. */
import type { PublicFetch } from '@millrace/http';
import type { MediaStore } from '@millrace/media-store';
import { err, ok, type Result } from '@millrace/result';
import type { DueLoop } from '../core/due-loop.ts';
import { importEnded, importQueued } from '../core/import-facts.ts';
import { type ImportRecord, importPrefix } from '../core/import-rows.ts';
import type { ProgressStore } from '../core/store.ts';
import { sourceArrived, sourceFailed, sourceKeyOf, type VideoImports } from '../core/video-source.ts';
import type { SubmissionDeps } from '../core/video-submission.ts';
import { Download, type DownloadFailure, type DownloadMetrics, notStored } from './download.ts';
import { type ImportLoopDeps, ImportLoops } from './import-loops.ts';
import { emptyFile, ImportParts } from './import-parts.ts';
import { ImportReporter } from './import-reporter.ts';

export interface ImporterDeps extends SubmissionDeps, ImportLoopDeps {
  readonly store: ProgressStore;
  readonly mediaStore: MediaStore;
  readonly fetch: PublicFetch;
  readonly metrics: ImportLoopDeps['metrics'] & DownloadMetrics;
  /** Largest original, bytes. */
  readonly maxBytes: number;
  /** Bytes of originals of one owner. */
  readonly maxOwnerBytes: number;
}

export class Importer implements VideoImports {
  readonly #deps: ImporterDeps;
  readonly #loops: ImportLoops<number>;

  constructor(deps: ImporterDeps) {
    this.#deps = deps;
    const kind = {
      ...{ of: 'original' as const, rows: (rows: Pick<ProgressStore, 'imports'>) => rows.imports, mostTries: 6 },
      fetch: (wish: ImportRecord, signal: AbortSignal) => this.#fetch(wish, signal),
      arrived: (wish: ImportRecord, sizeBytes: number) => this.#arrived(wish, sizeBytes),
      failed: (wish: ImportRecord, reason: string) => this.#failed(wish, reason),
    };
    this.#loops = new ImportLoops(kind, deps);
  }

  refuse(url: string): string | undefined {
    return this.#deps.fetch.refuse(url);
  }

  async start(...[tx, video, url, nowMs]: Parameters<VideoImports['start']>): Promise<void> {
    await tx.imports.add({ subject: video.videoId, ownerId: video.ownerId, url }, nowMs);
    await tx.publish([importQueued(video, nowMs)]);
    tx.afterCommit(() => this.#loops.wake());
  }

  addLoop(): DueLoop {
    return this.#loops.add();
  }

  /** Resolves with the size of the stored original, bytes. */
  async #fetch(wish: ImportRecord, signal: AbortSignal): Promise<Result<number, DownloadFailure>> {
    const { fetch, clock, mediaStore, store, metrics } = this.#deps;
    const parts = new ImportParts(wish, this.#deps);
    const kept = await store.imports.kept(wish.subject);
    if (kept !== undefined && kept.keptBytes === kept.totalBytes) return parts.join(kept, signal);
    const begun = await Download.begin(
      wish.url,
      { ...{ fetch, clock, signal, metrics, what: 'original' }, maxBytes: await this.#room(wish.ownerId) },
      kept?.keptBytes === 0 ? undefined : kept,
    );
    if (!begun.ok) return begun;
    using download = begun.value;
    const progress = () => ({ receivedBytes: download.received, totalBytes: download.total });
    await using _ = new ImportReporter(wish, progress, this.#deps);
    if (parts.areWorth(download)) return await parts.fetch(download, kept, signal);
    const came = await download.into((body) => mediaStore.put(sourceKeyOf(wish.subject), body));
    if (!came.ok) return came;
    const written = came.value;
    if (!written.ok) return err(notStored(written.error, 'original'));
    return written.value.size > 0 ? ok(written.value.size) : err(emptyFile);
  }

  /** Bytes that one more original of the owner may have. */
  async #room(ownerId: string): Promise<number> {
    const { store, maxBytes, maxOwnerBytes } = this.#deps;
    const [stored, open] = [await store.videos.sourceBytes(ownerId), await store.uploads.open(ownerId)];
    return Math.max(0, Math.min(maxBytes, maxOwnerBytes - stored - open.bytes));
  }

  async #arrived({ subject: videoId }: ImportRecord, sizeBytes: number): Promise<void> {
    const { store, clock } = this.#deps;
    const nowMs = clock.nowMs();
    const key = sourceKeyOf(videoId);
    await store.transaction(async (tx) => {
      const video = await tx.videos.lock(videoId);
      await tx.imports.remove(videoId);
      await tx.cleanups.add([{ prefix: importPrefix(videoId) }], nowMs);
      if (video === undefined)
        await tx.cleanups.add([{ key }], nowMs); // deleted meanwhile
      else if (video.sourceState === 'importing') {
        await sourceArrived(tx, this.#deps, video, { key, sizeBytes }, nowMs);
        await tx.publish([importEnded(video, undefined, nowMs)]);
      }
    });
  }

  async #failed({ subject: videoId }: ImportRecord, reason: string): Promise<void> {
    const { store, clock } = this.#deps;
    const nowMs = clock.nowMs();
    await store.transaction(async (tx) => {
      const video = await tx.videos.lock(videoId);
      await tx.imports.remove(videoId);
      await tx.cleanups.add([{ prefix: importPrefix(videoId) }], nowMs);
      if (video?.sourceState !== 'importing') return;
      await sourceFailed(tx, video, reason, nowMs);
      await tx.publish([importEnded(video, reason, nowMs)]);
    });
  }
}
