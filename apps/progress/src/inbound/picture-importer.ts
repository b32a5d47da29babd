/** Fetches pictures of images from URLs, after the request was answered. The image says what became of it. */
import type { PublicFetch } from '@millrace/http';
import { type IdSource, newId } from '@millrace/ids';
import { err, type Result } from '@millrace/result';
import type { DueLoop } from '../core/due-loop.ts';
import { type ImageRecord, pictureFailed } from '../core/image.ts';
import type { ImageRoom } from '../core/image-rows.ts';
import type { ImportRecord } from '../core/import-rows.ts';
import { enterPicture, type PictureImports } from '../core/picture-arrival.ts';
import type { ProgressStore, Transaction } from '../core/store.ts';
import { Download, type DownloadFailure, type DownloadMetrics, notStored } from './download.ts';
import { type ImportLoopDeps, ImportLoops } from './import-loops.ts';
import { type PictureIntake, type StoredPicture, storePicture } from './picture-intake.ts';

export interface PictureImporterDeps extends ImportLoopDeps {
  readonly store: ProgressStore;
  readonly fetch: PublicFetch;
  readonly idSource: IdSource;
  readonly intake: PictureIntake;
  readonly perOwner: ImageRoom;
  /** A picture has come: its thumbnail is due. */
  readonly onPicture: () => void;
  readonly metrics: ImportLoopDeps['metrics'] & DownloadMetrics;
  /** Longest time one try may take, ms. */
  readonly tryMs: number;
}

/** A picture whose writer died is removed so long after its try should have been over, ms. */
const abandonedMs = 3_600_000;

export class PictureImporter implements PictureImports {
  readonly #deps: PictureImporterDeps;
  readonly #loops: ImportLoops<StoredPicture>;

  constructor(deps: PictureImporterDeps) {
    this.#deps = deps;
    const kind = {
      ...{ of: 'picture' as const, mostTries: 4 },
      rows: (rows: Pick<ProgressStore, 'pictureImports'>) => rows.pictureImports,
      fetch: (wish: ImportRecord, signal: AbortSignal) => this.#fetch(wish, signal),
      arrived: (wish: ImportRecord, stored: StoredPicture) => this.#arrived(wish, stored),
      failed: (wish: ImportRecord, reason: string) => this.#failed(wish, reason),
    };
    this.#loops = new ImportLoops(kind, deps);
  }

  refuse(url: string): string | undefined {
    return this.#deps.fetch.refuse(url);
  }

  async start(tx: Transaction, image: ImageRecord, url: string, nowMs: number): Promise<void> {
    await tx.pictureImports.add({ subject: image.imgName, ownerId: image.ownerId, url }, nowMs);
    tx.afterCommit(() => this.#loops.wake());
  }

  addLoop(): DueLoop {
    return this.#loops.add();
  }

  async #fetch(wish: ImportRecord, signal: AbortSignal): Promise<Result<StoredPicture, DownloadFailure>> {
    const { store, clock, idSource, tryMs } = this.#deps;
    const key = `images/${wish.subject}/${newId('img', idSource)}`;
    await store.cleanups.add([{ key }], clock.nowMs() + tryMs + abandonedMs);
    const slow = new AbortController();
    const timer = clock.after(tryMs, () => slow.abort());
    try {
      const stored = await this.#store(wish, key, AbortSignal.any([signal, slow.signal]));
      if (!stored.ok) await store.cleanups.add([{ key }], clock.nowMs());
      return stored;
    } catch (error) {
      if (!slow.signal.aborted || signal.aborted) throw error;
      return err({
        reason: `expected the picture within ${tryMs / 1_000} s, it was still on its way`,
        retryable: true,
      });
    } finally {
      timer.cancel();
    }
  }

  async #store(wish: ImportRecord, key: string, signal: AbortSignal): Promise<Result<StoredPicture, DownloadFailure>> {
    const { fetch, clock, intake, metrics } = this.#deps;
    const begun = await Download.begin(wish.url, {
      ...{ fetch, clock, signal, metrics, what: 'picture', maxBytes: intake.limits.maxBytes },
    });
    if (!begun.ok) return begun;
    using download = begun.value;
    const came = await download.into((body) => storePicture(intake, key, body));
    if (!came.ok) return came;
    const stored = came.value;
    if (stored.ok) return stored;
    const { error } = stored;
    return err('reason' in error ? { reason: error.reason, retryable: false } : notStored(error, 'picture'));
  }

  async #arrived({ subject }: ImportRecord, stored: StoredPicture): Promise<void> {
    const { store, clock, perOwner, onPicture } = this.#deps;
    const nowMs = clock.nowMs();
    await store.transaction(async (tx) => {
      const image = await tx.images.lock(subject);
      const waits = image !== undefined && image.picture === undefined && image.pictureImport?.kind === 'importing';
      const entered = waits ? await enterPicture(tx, image, stored, perOwner, nowMs) : undefined;
      if (entered !== undefined) return tx.afterCommit(onPicture);
      await tx.cleanups.add([{ key: stored.picture.key }], nowMs); // deleted, or brought by somebody else meanwhile
      if (!waits) return;
      await tx.pictureImports.remove(subject);
      const reason = `expected at most ${perOwner.bytes} bytes of pictures of one owner: delete some first`;
      await tx.images.save(pictureFailed(image, reason, nowMs), []);
    });
  }

  async #failed({ subject }: ImportRecord, reason: string): Promise<void> {
    const { store, clock } = this.#deps;
    await store.transaction(async (tx) => {
      const image = await tx.images.lock(subject);
      await tx.pictureImports.remove(subject);
      if (image?.pictureImport?.kind !== 'importing' || image.picture !== undefined) return;
      await tx.images.save(pictureFailed(image, reason, clock.nowMs()), []);
    });
  }
}
