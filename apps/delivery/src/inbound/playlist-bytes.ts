/**
 * Playlists as bytes: rendered once for each part and shared by all who ask, plain and gzipped each only when somebody
 * asks for it.
 */
import { gzipSync } from 'node:zlib';
import { renderMediaPlaylist } from '@millrace/hls';
import type { LiveWindow } from '../core/live-window.ts';
import { mediaPlaylistView } from '../core/playlist-views.ts';
import type { RenditionTrack } from '../core/rendition-track.ts';
import { type Audience, corsHeaders, playlistCaching, playlistType } from './response-headers.ts';
import { SharedResponse } from './shared-response.ts';

export interface PlaylistVariant {
  /** A delta update (`_HLS_skip`). */
  readonly skip: boolean;
  readonly gzip: boolean;
  /** Asked for by number. */
  readonly blocking: boolean;
  readonly audience: Audience;
}

interface Rendered {
  readonly version: number;
  /** Sum of the other renditions' versions: what the rendition reports were made from. */
  readonly others: number;
  readonly responses: Map<string, SharedResponse>;
  readonly bodies: Map<string, Buffer>;
}

/** Level 5 takes 0.1 ms for a playlist and is within 3 % of level 9. */
const gzipLevel = 5;

export class PlaylistBytes {
  readonly #rendered = new WeakMap<RenditionTrack, Rendered>();
  readonly #onRender: (encoding: 'plain' | 'gzip') => void;

  constructor(onRender: (encoding: 'plain' | 'gzip') => void) {
    this.#onRender = onRender;
  }

  /** The answer with the media playlist of `track` as it is now. */
  response(window: LiveWindow, track: RenditionTrack, variant: PlaylistVariant): SharedResponse {
    const rendered = this.#current(window, track);
    const key = `${variant.skip}${variant.gzip}${variant.blocking}${variant.audience}`;
    const known = rendered.responses.get(key);
    if (known !== undefined) return known;
    const headers = [
      'Content-Type',
      playlistType,
      'Cache-Control',
      playlistCaching(variant.audience, variant.blocking, window.settings.targetDurationS),
      'Vary',
      'Accept-Encoding',
      ...corsHeaders,
      ...(variant.gzip ? ['Content-Encoding', 'gzip'] : []),
    ];
    const response = new SharedResponse(200, headers, [this.#body(rendered, window, track, variant)]);
    rendered.responses.set(key, response);
    return response;
  }

  #current(window: LiveWindow, track: RenditionTrack): Rendered {
    const tracks = window.tracks();
    const others = tracks.reduce((sum, other) => sum + (other === track ? 0 : other.version), 0);
    const known = this.#rendered.get(track);
    // Rendition reports may be one part of each rendition behind: rendering for every part of every other would not pay.
    const reportsAreFresh = known !== undefined && others - known.others < tracks.length;
    if (known !== undefined && known.version === track.version && reportsAreFresh) return known;
    const rendered = { version: track.version, others, responses: new Map(), bodies: new Map() };
    this.#rendered.set(track, rendered);
    return rendered;
  }

  #body(rendered: Rendered, window: LiveWindow, track: RenditionTrack, { skip, gzip }: PlaylistVariant): Buffer {
    const key = `${skip}${gzip}`;
    const known = rendered.bodies.get(key);
    if (known !== undefined) return known;
    const body = gzip
      ? gzipSync(this.#body(rendered, window, track, { skip, gzip: false, blocking: false, audience: 'public' }), {
          level: gzipLevel,
        })
      : Buffer.from(renderMediaPlaylist(mediaPlaylistView(window, track), { skip }));
    this.#onRender(gzip ? 'gzip' : 'plain');
    rendered.bodies.set(key, body);
    return body;
  }
}
