/**
 * All uploads of this tab, without React: they go on while the person looks at other pages. Two at a time; what the network
 * breaks off is tried again until it works; what the server refuses is told.
 */
import type { ApiError } from '../api/api-error.ts';
import { errorText } from '../api/api-error.ts';
import type { Answer } from '../api/caller.ts';
import type { PageTime } from '../player/browser-time.ts';
import type { Transfer, TransferCode, Unfinished } from './transfer.ts';
import {
  isUnderWay,
  nextUpload,
  retryDelayMs,
  titleOfFile,
  type UploadItem,
  type UploadSignal,
} from './upload-state.ts';

export interface UploadWish {
  readonly visibility: 'public' | 'private';
  readonly language: string | undefined;
}

export interface UploadsDeps {
  readonly ownerId: string;
  readonly token: () => string | undefined;
  readonly loadCode: () => Promise<TransferCode>;
  /** Makes the video that the file is for. */
  readonly createVideo: (
    draft: UploadWish & { readonly title: string },
  ) => Answer<{ readonly videoId: string; readonly endpoint: string }>;
  readonly removeVideo: (videoId: string) => Answer<void>;
  readonly time: Pick<PageTime, 'after' | 'monotonicMs'>;
}

interface Held {
  item: UploadItem;
  readonly file: File | undefined;
  readonly wish: UploadWish;
  transfer?: Transfer;
  unfinished?: Unfinished;
  retry?: { cancel(): void };
  /** Runs out when nothing has moved for a while. */
  stall?: { cancel(): void };
}

const atOnce = 2;
/** A network that went away without a word is noticed after so long; the server may take a while to answer a whole file. */
const stallMs = 60_000;

export class Uploads {
  readonly #deps: UploadsDeps;
  readonly #listeners = new Set<() => void>();
  readonly #held = new Map<string, Held>();
  #items: readonly UploadItem[] = [];
  #ids = 0;
  #removed = 0;
  #closed = false;

  constructor(deps: UploadsDeps) {
    this.#deps = deps;
  }

  /** In the order in which they were added; the same list until something changes. */
  get items(): readonly UploadItem[] {
    return this.#items;
  }

  /** How many cancelled uploads have left the server with their videos. */
  get removed(): number {
    return this.#removed;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  add(files: readonly File[], wish: UploadWish): void {
    for (const file of files) {
      for (const [id, one] of this.#held) {
        // The file of an upload that an earlier visit began.
        const same = one.item.fileName === file.name && one.item.sizeBytes === file.size;
        if (one.item.state.kind === 'unfinished' && same) this.#held.delete(id);
      }
      this.#hold({ file, wish, item: newItem(`u${this.#ids++}`, file.name, file.size) });
    }
    this.#pump();
  }

  /** Shows what an earlier visit left unfinished. */
  async lookBack(): Promise<void> {
    const { ownerId, token, loadCode } = this.#deps;
    const code = await loadCode();
    for (const one of await code.findUnfinished(ownerId, token)) {
      const again = [...this.#held.values()].some(({ item }) => item.videoId === one.videoId);
      if (this.#closed || again) continue;
      const { videoId, fileName, sizeBytes, sentBytes } = one;
      const item = { ...newItem(`u${this.#ids++}`, fileName, sizeBytes), videoId };
      const wish: UploadWish = { visibility: 'public', language: undefined };
      this.#hold({
        ...{ file: undefined, wish, unfinished: one },
        item: { ...item, state: { kind: 'unfinished', sentBytes } },
      });
    }
  }

  pause(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#signal(held, { kind: 'paused' });
    held.retry?.cancel();
    held.stall?.cancel();
    void held.transfer?.pause();
    this.#pump();
  }

  /** After a pause or a failure. */
  resume(id: string): void {
    const held = this.#held.get(id);
    if (held?.file === undefined) return;
    this.#begin(held);
  }

  /** Ends the upload here and on the server, and removes the video that was to come of it. */
  async cancel(id: string): Promise<void> {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#held.delete(id);
    this.#tell();
    held.retry?.cancel();
    held.stall?.cancel();
    const { unfinished, item, transfer } = held;
    if (unfinished !== undefined) {
      const code = await this.#deps.loadCode();
      await code.discardUnfinished(unfinished, this.#deps.token());
    }
    await transfer?.cancel().catch(() => undefined); // gone there already, or it expires by itself
    if (item.videoId !== undefined) await this.#deps.removeVideo(item.videoId);
    this.#removed += 1;
    this.#tell();
    this.#pump();
  }

  /** Takes an upload that is over from the list. */
  dismiss(id: string): void {
    this.#held.delete(id);
    this.#tell();
  }

  /** The network is gone: nothing more will come of what is on its way. */
  breakOff(): void {
    for (const held of this.#held.values()) if (held.transfer !== undefined) this.#breakOff(held);
  }

  /** The network is back: what waits for it does not wait any longer. */
  retryNow(): void {
    for (const held of this.#held.values()) if (held.item.state.kind === 'interrupted') this.#begin(held);
  }

  close(): void {
    this.#closed = true;
    for (const held of this.#held.values()) {
      held.retry?.cancel();
      held.stall?.cancel();
      void held.transfer?.pause();
    }
    this.#held.clear();
    this.#listeners.clear();
  }

  #breakOff(held: Held): void {
    if (!isUnderWay(held.item) || held.item.state.kind === 'interrupted') return;
    void held.transfer?.pause();
    this.#failed(held, { kind: 'unreachable' });
  }

  #watch(held: Held): void {
    held.stall?.cancel();
    held.stall = this.#deps.time.after(stallMs, () => this.#breakOff(held));
  }

  #pump(): void {
    let free = atOnce - [...this.#held.values()].filter(({ item }) => isUnderWay(item)).length;
    for (const held of this.#held.values()) {
      if (free <= 0) return;
      if (held.item.state.kind !== 'queued') continue;
      free -= 1;
      this.#begin(held);
    }
  }

  #begin(held: Held): void {
    held.retry?.cancel();
    this.#signal(held, { kind: 'begun' });
    if (held.transfer !== undefined) {
      this.#watch(held);
      return held.transfer.start();
    }
    this.#open(held).catch((error: unknown) => {
      // The protocol's code did not load: the network, or a page that is older than the server.
      reportError(error);
      this.#failed(held, { kind: 'unreachable' });
    });
  }

  async #open(held: Held): Promise<void> {
    const { ownerId, token, loadCode, createVideo } = this.#deps;
    const { file, wish } = held;
    if (file === undefined) return;
    const code = await loadCode();
    const previous = await code.findPrevious(file, ownerId);
    let [videoId, endpoint] = [previous?.videoId ?? held.item.videoId, uploadsPath];
    if (videoId === undefined) {
      const created = await createVideo({ ...wish, title: titleOfFile(file.name) });
      if (!created.ok) return this.#failed(held, created.error);
      ({ videoId, endpoint } = created.value);
    }
    this.#signal(held, { kind: 'named', videoId });
    if (this.#held.get(held.item.id) !== held) {
      await this.#deps.removeVideo(videoId); // cancelled meanwhile
      return;
    }
    held.transfer = code.openTransfer(
      file,
      { endpoint, videoId, ownerId, token, previous },
      {
        onSent: (bytes) => {
          this.#watch(held);
          this.#signal(held, { kind: 'sent', bytes, atMs: this.#deps.time.monotonicMs() });
        },
        onDone: () => {
          held.stall?.cancel();
          this.#signal(held, { kind: 'finished' });
          this.#pump();
        },
        onError: (error) => this.#failed(held, error),
      },
    );
    if (held.item.state.kind !== 'starting') return;
    this.#watch(held);
    held.transfer.start();
  }

  #failed(held: Held, error: ApiError): void {
    held.stall?.cancel();
    if (!isUnderWay(held.item)) return; // paused or cancelled: the transfer was told to break off
    if (mayPass(error)) {
      this.#signal(held, { kind: 'interrupted' });
      held.retry = this.#deps.time.after(retryDelayMs(held.item.failures), () => this.#begin(held));
    } else {
      this.#signal(held, { kind: 'failed', reason: errorText(error) });
      delete held.transfer;
      // The video was deleted meanwhile: another try is for a new one.
      const gone = error.kind === 'refused' && (error.status === 404 || error.status === 410);
      if (gone) held.item = { ...held.item, videoId: undefined };
      this.#pump();
    }
  }

  #hold(held: Held): void {
    this.#held.set(held.item.id, held);
    this.#tell();
  }

  #signal(held: Held, signal: UploadSignal): void {
    const next = nextUpload(held.item, signal);
    if (next === held.item) return;
    held.item = next;
    this.#tell();
  }

  #tell(): void {
    this.#items = [...this.#held.values()].map(({ item }) => item);
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Where an upload of an earlier visit goes on when the server has forgotten it. */
const uploadsPath = '/api/v1/uploads';

function newItem(id: string, fileName: string, sizeBytes: number): UploadItem {
  return { id, fileName, sizeBytes, videoId: undefined, state: { kind: 'queued' }, failures: 0 };
}

/** Whether the same may work in a moment: no answer, an overloaded or starting server, a lock that somebody still holds. */
function mayPass(error: ApiError): boolean {
  if (error.kind === 'unreachable') return true;
  return error.kind === 'refused' && (error.status >= 500 || error.status === 423 || error.status === 429);
}
