import type { Table } from '@millrace/eventlog';
import type { StreamDefinition } from '@millrace/events';
import type { StreamId } from '@millrace/ids';

/** What playback has to know of a stream. */
export interface DirectoryEntry {
  readonly streamId: StreamId;
  readonly ownerId: string;
  readonly visibility: 'public' | 'private';
}

export interface DirectoryChange {
  readonly streamId: StreamId;
  /** `restricted`: it was public and is private now. */
  readonly kind: 'deleted' | 'restricted';
}

/** Deleted streams that are remembered, so that a writer who has not heard of it cannot open them again. */
const rememberedDeletions = 10_000;

/** Streams by playback id: a view of the table of `control.streams.v1`. */
export class StreamDirectory implements Disposable {
  readonly #table: Table<StreamDefinition>;
  readonly #byPlaybackId = new Map<string, StreamDefinition>();
  readonly #deleted = new Set<StreamId>();
  readonly #stop: () => void;

  /** `onChange` is told of what viewers must feel at once. */
  constructor(table: Table<StreamDefinition>, onChange: (change: DirectoryChange) => void) {
    this.#table = table;
    this.#stop = table.onChange((key, value, previous) => {
      if (previous !== undefined && previous.playback_id !== value?.playback_id) {
        this.#byPlaybackId.delete(previous.playback_id);
      }
      if (value !== undefined) this.#byPlaybackId.set(value.playback_id, value);
      const streamId = key as StreamId; // control minted it: the table's key is the stream id
      if (value === undefined) this.#rememberDeleted(streamId);
      if (value === undefined) onChange({ streamId, kind: 'deleted' });
      else if (previous?.visibility === 'public' && value.visibility === 'private') {
        onChange({ streamId, kind: 'restricted' });
      }
    });
    for (const [, value] of table.entries()) this.#byPlaybackId.set(value.playback_id, value);
  }

  /** A table that is not ready is not empty: an unknown stream may still come. */
  get isReady(): boolean {
    return this.#table.isReady;
  }

  find(playbackId: string): DirectoryEntry | undefined {
    const found = this.#byPlaybackId.get(playbackId);
    if (found === undefined) return undefined;
    return { streamId: found.stream_id as StreamId, ownerId: found.owner_id, visibility: found.visibility };
  }

  /** Whether the stream was seen to be deleted. One that is unknown may still be on its way in the log. */
  wasDeleted(streamId: StreamId): boolean {
    return this.#deleted.has(streamId);
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  #rememberDeleted(streamId: StreamId): void {
    this.#deleted.add(streamId);
    if (this.#deleted.size <= rememberedDeletions) return;
    for (const oldest of this.#deleted) {
      this.#deleted.delete(oldest);
      return;
    }
  }
}
