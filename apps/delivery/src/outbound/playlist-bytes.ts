/**
 * Media playlists of live windows as bytes: rendered once for each part and shared by all who ask, plain and gzipped each
 * only when somebody asks for it.
 */
import { gzipSync } from 'node:zlib';
import { renderMediaPlaylist } from '@millrace/hls';
import type { LiveWindow } from '../core/live-window.ts';
import type { PlaylistBody } from '../core/playback-source.ts';
import { mediaPlaylistView } from '../core/playlist-views.ts';
import type { RenditionTrack } from '../core/rendition-track.ts';

interface Rendered {
  readonly version: number;
  /** Sum of the other renditions' versions: what the rendition reports were made from. */
  readonly others: number;
  /** Whole playlists and delta updates. */
  readonly whole: PlaylistBody;
  readonly delta: PlaylistBody;
}

/** Level 5 takes 0.1 ms for a playlist and is within 3 % of level 9. */
const gzipLevel = 5;

export class PlaylistBytes {
  readonly #rendered = new WeakMap<RenditionTrack, Rendered>();
  readonly #onRender: (encoding: 'plain' | 'gzip') => void;

  constructor(onRender: (encoding: 'plain' | 'gzip') => void) {
    this.#onRender = onRender;
  }

  /** The media playlist of `track` as it is now; `skip`: a delta update (`_HLS_skip`). */
  body(window: LiveWindow, track: RenditionTrack, skip: boolean): PlaylistBody {
    const rendered = this.#current(window, track);
    return skip ? rendered.delta : rendered.whole;
  }

  #current(window: LiveWindow, track: RenditionTrack): Rendered {
    const tracks = window.tracks();
    const others = tracks.reduce((sum, other) => sum + (other === track ? 0 : other.version), 0);
    const known = this.#rendered.get(track);
    // Rendition reports may be one part of each rendition behind: rendering for every part of every other would not pay.
    const reportsAreFresh = known !== undefined && others - known.others < tracks.length;
    if (known !== undefined && known.version === track.version && reportsAreFresh) return known;
    const view = once(() => mediaPlaylistView(window, track));
    const rendered: Rendered = {
      version: track.version,
      others,
      whole: this.#lazy(window, () => renderMediaPlaylist(view(), { skip: false })),
      delta: this.#lazy(window, () => renderMediaPlaylist(view(), { skip: true })),
    };
    this.#rendered.set(track, rendered);
    return rendered;
  }

  #lazy(window: LiveWindow, render: () => string): PlaylistBody {
    const plain = once(() => {
      this.#onRender('plain');
      return Buffer.from(render());
    });
    const gzip = once(() => {
      this.#onRender('gzip');
      return gzipSync(plain(), { level: gzipLevel });
    });
    return { targetDurationS: window.settings.targetDurationS, plain, gzip };
  }
}

/** `make`, called at most once. */
function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
