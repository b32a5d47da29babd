import type { Clock } from '@millrace/clock';
import type { Table } from '@millrace/eventlog';
import type { VideoState } from '@millrace/events';

/** What playback has to know of a video. */
export interface PlayableVideo {
  readonly videoId: string;
  readonly ownerId: string;
  readonly playbackId: string;
  readonly title: string;
  /** Undefined while nobody knows. */
  readonly durationMs: number | undefined;
  readonly visibility: 'public' | 'private';
  /** Folder of the media store with what can be played now; undefined: nothing yet. */
  readonly asset: string | undefined;
  /** Whether the asset's playlists have their last form. */
  readonly complete: boolean;
  /** Key of the MP4, if there is one. */
  readonly file: string | undefined;
}

/** How long players may go on with an asset that another has replaced, ms; progress removes its files later than that. */
const replacedKeptMs = 10 * 60_000;
const mostReplaced = 10_000;

/** Videos by playback id: a view of the table of `media.videos.v1`. */
export class VideoDirectory implements Disposable {
  readonly #table: Table<VideoState>;
  readonly #clock: Clock;
  readonly #byPlaybackId = new Map<string, VideoState>();
  /** Assets that were replaced, by their folder; in the order of time. */
  readonly #replaced = new Map<string, { readonly playbackId: string; readonly atMs: number }>();
  readonly #stop: () => void;

  constructor(table: Table<VideoState>, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
    this.#stop = table.onChange((_key, value, previous) => this.#changed(value, previous));
    for (const [, value] of table.entries()) this.#changed(value, undefined);
  }

  /** A table that is not ready is not empty: an unknown video may still come. */
  get isReady(): boolean {
    return this.#table.isReady;
  }

  get size(): number {
    return this.#byPlaybackId.size;
  }

  find(playbackId: string): PlayableVideo | undefined {
    const found = this.#byPlaybackId.get(playbackId);
    return found === undefined ? undefined : playable(found);
  }

  /** The folder of one of the video's assets: the one that it has, or had until recently. */
  folderOf(video: PlayableVideo, assetId: string): { readonly folder: string; readonly complete: boolean } | undefined {
    const folder = `videos/${video.videoId}/${assetId}`;
    if (video.asset === folder) return { folder, complete: video.complete };
    const replaced = this.#replaced.get(folder);
    if (replaced === undefined || replaced.playbackId !== video.playbackId) return undefined;
    return this.#clock.monotonicMs() - replaced.atMs <= replacedKeptMs ? { folder, complete: true } : undefined;
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  #changed(value: VideoState | undefined, previous: VideoState | undefined): void {
    if (previous !== undefined && previous.playback_id !== value?.playback_id) {
      this.#byPlaybackId.delete(previous.playback_id);
    }
    if (value === undefined) return;
    this.#byPlaybackId.set(value.playback_id, value);
    if (typeof previous?.asset === 'string' && previous.asset !== value.asset) {
      this.#remember(previous.asset, value.playback_id);
    }
  }

  #remember(folder: string, playbackId: string): void {
    const nowMs = this.#clock.monotonicMs();
    this.#replaced.delete(folder);
    this.#replaced.set(folder, { playbackId, atMs: nowMs });
    for (const [oldest, { atMs }] of this.#replaced) {
      if (this.#replaced.size <= mostReplaced && nowMs - atMs <= replacedKeptMs) return;
      this.#replaced.delete(oldest);
    }
  }
}

function playable(value: VideoState): PlayableVideo {
  return {
    videoId: value.video_id,
    ownerId: value.owner_id,
    playbackId: value.playback_id,
    title: value.title,
    durationMs: value.duration_ms ?? undefined,
    visibility: value.visibility,
    asset: value.asset ?? undefined,
    complete: value.complete,
    file: value.file ?? undefined,
  };
}
