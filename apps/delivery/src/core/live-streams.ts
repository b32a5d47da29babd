/**
 * Every stream this delivery knows and its windows: at most one that takes parts, and the one before it while players
 * may still read it. Fences writers by epoch across windows, and keeps the media in memory within its bounds.
 */
import type { OpenWindow, PartWrite, WindowStanding, WindowState, WriteRefusal } from '@millrace/handover';
import type { Epoch, StreamId } from '@millrace/ids';
import { err, ok, type Result } from '@millrace/result';
import { LiveWindow, type WindowChange } from './live-window.ts';
import { openMistake } from './part-check.ts';

export interface LiveStreamsSettings {
  readonly listedSegments: number;
  /** Media bytes in memory, of one stream and of all. */
  readonly streamMemoryBytes: number;
  readonly totalMemoryBytes: number;
  /** Streams with a window. */
  readonly mostStreams: number;
}

/** What happened, for those who store, delete, wake and count. Called in order; must not throw. */
export interface WindowObserver {
  changed(streamId: StreamId, window: LiveWindow, changes: readonly WindowChange[]): void;
  opened(streamId: StreamId, window: LiveWindow): void;
  ended(streamId: StreamId, window: LiveWindow): void;
  /** The window is gone: nothing of it may be asked for any more. */
  removed(streamId: StreamId, window: LiveWindow): void;
  /** A segment left its window before its time for want of memory. */
  shed(streamId: StreamId, window: LiveWindow, bytes: number): void;
}

/** Where new windows get their id and first number from; injected. */
export type MintWindow = () => { readonly windowId: string; readonly firstSegment: number };

interface StreamWindows {
  current: LiveWindow | undefined;
  /** The window before the current one, kept for players that are still in it. */
  previous: LiveWindow | undefined;
  /** The highest epoch that wrote or ended; outlives the windows. */
  epoch: Epoch;
}

/** Epochs of streams without a window that are remembered, so that a zombie cannot open them again. */
const rememberedStreams = 10_000;

export class LiveStreams {
  readonly #streams = new Map<StreamId, StreamWindows>();
  readonly #settings: LiveStreamsSettings;
  readonly #mint: MintWindow;
  readonly #observer: WindowObserver;
  /** Never below `memoryBytes`: what came since that was last summed up is added, what went is not. Spares a sum per part. */
  #atMostBytes = 0;

  constructor(settings: LiveStreamsSettings, mint: MintWindow, observer: WindowObserver) {
    this.#settings = settings;
    this.#mint = mint;
    this.#observer = observer;
  }

  /** The window that viewers of the stream see: the latest, ended or not. */
  window(streamId: StreamId): LiveWindow | undefined {
    return this.#streams.get(streamId)?.current;
  }

  /** Where a stream stands, ended broadcasts whose window is gone included. */
  standing(streamId: StreamId): WindowStanding {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return { kind: 'none' };
    return { kind: stream.current?.ended === false ? 'live' : 'ended', epoch: stream.epoch };
  }

  /** The window that a media file name belongs to. */
  windowById(streamId: StreamId, windowId: string): LiveWindow | undefined {
    const stream = this.#streams.get(streamId);
    if (stream?.current?.id === windowId) return stream.current;
    return stream?.previous?.id === windowId ? stream.previous : undefined;
  }

  /** Every window there is, with its stream. */
  *windows(): IterableIterator<readonly [StreamId, LiveWindow]> {
    for (const [streamId, { current, previous }] of this.#streams) {
      if (previous !== undefined) yield [streamId, previous];
      if (current !== undefined) yield [streamId, current];
    }
  }

  open(open: OpenWindow): Result<WindowState, WriteRefusal> {
    const mistake = openMistake(open);
    if (mistake !== undefined) return err({ kind: 'bad-part', message: mistake });
    const stream = this.#streams.get(open.streamId);
    if (stream !== undefined && open.epoch < stream.epoch) return err({ kind: 'stale-epoch', current: stream.epoch });
    const current = stream?.current;
    if (current !== undefined && !current.ended) {
      const reopened = current.reopen(open);
      if (!reopened.ok) return reopened;
      if (stream !== undefined) stream.epoch = open.epoch;
      this.#observer.changed(open.streamId, current, reopened.value.changes);
      return ok(reopened.value.state);
    }
    if (stream !== undefined && open.epoch === stream.epoch) {
      return err({ kind: 'not-open', message: `the broadcast of epoch ${stream.epoch} has ended` });
    }
    return this.#begin(open, stream);
  }

  part(write: PartWrite): Result<void, WriteRefusal> {
    const stream = this.#streams.get(write.streamId);
    if (stream !== undefined && write.epoch < stream.epoch) return err({ kind: 'stale-epoch', current: stream.epoch });
    const window = stream?.current;
    if (window === undefined) {
      return err({ kind: 'not-open', message: `stream ${write.streamId} has no open window` });
    }
    const taken = window.take(write);
    if (!taken.ok) return taken;
    this.#observer.changed(write.streamId, window, [taken.value]);
    for (const slice of write.bytes) this.#atMostBytes += slice.length;
    this.#keepWithinMemory(write.streamId, window);
    return ok();
  }

  /** Ends the broadcast of `epoch` or an earlier one. Ending what has ended, or never was, is no failure. */
  end(streamId: StreamId, epoch: Epoch): Result<void, WriteRefusal> {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return ok();
    if (epoch < stream.epoch) return err({ kind: 'stale-epoch', current: stream.epoch });
    stream.epoch = epoch;
    const window = stream.current;
    if (window === undefined || window.ended) return ok();
    const changes = window.end(epoch);
    if (!changes.ok) return changes;
    this.#observer.changed(streamId, window, changes.value);
    this.#observer.ended(streamId, window);
    return ok();
  }

  /** Takes a window out, when its time is over. The stream's epoch stays known. */
  remove(streamId: StreamId, window: LiveWindow): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    if (stream.current === window) stream.current = undefined;
    else if (stream.previous === window) stream.previous = undefined;
    else return;
    this.#observer.removed(streamId, window);
  }

  /** The stream does not exist any more: its windows go at once. */
  forget(streamId: StreamId): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    for (const window of [stream.previous, stream.current]) {
      if (window !== undefined) this.remove(streamId, window);
    }
    this.#streams.delete(streamId);
  }

  get memoryBytes(): number {
    let bytes = 0;
    for (const [, window] of this.windows()) bytes += window.memoryBytes;
    return bytes;
  }

  #begin(open: OpenWindow, stream: StreamWindows | undefined): Result<WindowState, WriteRefusal> {
    const withWindow = [...this.#streams.values()].filter(({ current }) => current !== undefined).length;
    if (withWindow >= this.#settings.mostStreams && stream?.current === undefined) {
      return err({ kind: 'unavailable', message: `all ${this.#settings.mostStreams} live windows are in use` });
    }
    if (stream?.previous !== undefined) this.remove(open.streamId, stream.previous);
    const window = new LiveWindow(open, { ...this.#mint(), listedSegments: this.#settings.listedSegments });
    this.#streams.delete(open.streamId); // so that the map stays in order of last use
    this.#streams.set(open.streamId, { current: window, previous: stream?.current, epoch: open.epoch });
    this.#forgetOldest();
    this.#observer.opened(open.streamId, window);
    return ok(window.state());
  }

  #forgetOldest(): void {
    if (this.#streams.size <= rememberedStreams) return;
    for (const [streamId, stream] of this.#streams) {
      if (stream.current !== undefined || stream.previous !== undefined) continue;
      this.#streams.delete(streamId);
      return;
    }
  }

  #keepWithinMemory(streamId: StreamId, window: LiveWindow): void {
    while (window.memoryBytes > this.#settings.streamMemoryBytes) if (!this.#relieve(streamId, window)) break;
    if (this.#atMostBytes <= this.#settings.totalMemoryBytes) return;
    while ((this.#atMostBytes = this.memoryBytes) > this.#settings.totalMemoryBytes) {
      const largest = [...this.windows()].reduce((a, b) => (b[1].memoryBytes > a[1].memoryBytes ? b : a));
      if (!this.#relieve(largest[0], largest[1])) break;
    }
  }

  /** Frees what the store has, else takes the oldest segment out of the window. False: nothing is left to give. */
  #relieve(streamId: StreamId, window: LiveWindow): boolean {
    const tracks = [...window.tracks()].sort((a, b) => b.memoryBytes - a.memoryBytes);
    if (tracks.some((track) => track.freeOldestArchived() > 0)) return true;
    for (const track of tracks) {
      const shed = track.shedOldest();
      if (shed === undefined) continue;
      this.#observer.changed(streamId, window, [{ track, completed: [], expired: [shed] }]);
      this.#observer.shed(streamId, window, shed.size);
      return true;
    }
    return false;
  }
}
