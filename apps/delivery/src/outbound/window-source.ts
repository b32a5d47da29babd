/** Playback from the live windows of this process: what is there is answered at once, what is to come is waited for. */
import { decideReload, type ReloadDecision } from '@millrace/hls';
import type { StreamId } from '@millrace/ids';
import type { MediaStore } from '@millrace/media-store';
import { assertNever } from '@millrace/result';
import type { LiveStreams } from '../core/live-streams.ts';
import type { LiveWindow } from '../core/live-window.ts';
import { type MediaFile, mediaFileName } from '../core/playback-path.ts';
import {
  type Absence,
  type Answer,
  answered,
  type Leave,
  type MediaAsk,
  type MediaBody,
  type MultivariantFacts,
  type PlaybackSource,
  type PlaylistAsk,
  type PlaylistBody,
} from '../core/playback-source.ts';
import { multivariantFacts } from '../core/playlist-views.ts';
import type { RenditionTrack } from '../core/rendition-track.ts';
import type { TrackSegment } from '../core/track-segment.ts';
import type { Later } from '../core/waiting-room.ts';
import type { HeldRequests } from './held-requests.ts';
import type { PlaylistBytes } from './playlist-bytes.ts';

export interface WindowSourceDeps {
  readonly streams: LiveStreams;
  readonly held: HeldRequests;
  readonly playlists: PlaylistBytes;
  readonly store: MediaStore;
  /** The store's key of an archived segment. */
  readonly keyOf: (window: LiveWindow, track: RenditionTrack, segment: number) => string;
}

const atOnce: Later = (work) => work();

export class WindowSource implements PlaybackSource {
  readonly #deps: WindowSourceDeps;

  constructor(deps: WindowSourceDeps) {
    this.#deps = deps;
  }

  get waiting(): number {
    return this.#deps.held.count;
  }

  multivariant(streamId: StreamId, answer: Answer<MultivariantFacts>): Leave {
    const window = this.#deps.streams.window(streamId);
    if (window === undefined) return refuse(answer, { kind: 'not-live' });
    if (window.ended) return refuse(answer, { kind: 'ended' });
    answer({ kind: 'found', value: multivariantFacts(window) }, atOnce);
    return answered;
  }

  playlist({ streamId, rendition, query }: PlaylistAsk, answer: Answer<PlaylistBody>): Leave {
    const { streams, held, playlists } = this.#deps;
    const window = streams.window(streamId);
    if (window === undefined) return refuse(answer, { kind: 'not-live' });
    const track = window.track(rendition);
    if (track === undefined) {
      return refuse(answer, { kind: 'not-found', detail: `the stream has no rendition "${rendition}"` });
    }
    const ready = (later: Later) => answer({ kind: 'found', value: playlists.body(window, track, query.skip) }, later);
    const decision = startOf(track) ?? decideReload(track.position(), query);
    switch (decision.kind) {
      case 'now':
        ready(atOnce);
        return answered;
      case 'bad-request':
        return refuse(answer, { kind: 'bad-request', detail: decision.message });
      case 'wait': {
        const isReady = () => track.hasReached(decision.until);
        return held.hold({ window, track, kind: 'playlist', isReady, ready, refuse: answer });
      }
      default:
        return assertNever(decision);
    }
  }

  media({ streamId, rendition, file }: MediaAsk, answer: Answer<MediaBody>): Leave {
    const { streams, held } = this.#deps;
    const window = streams.windowById(streamId, file.windowId);
    const track = window?.track(rendition);
    if (window === undefined || track === undefined) return refuse(answer, gone(file));
    if (file.kind === 'init') {
      const init = track.init(file.init);
      if (init === undefined) return refuse(answer, gone(file));
      const body = { kind: 'memory', mediaKind: track.spec.kind, identity: init, slices: () => [init] } as const;
      answer({ kind: 'found', value: body }, atOnce);
      return answered;
    }
    const ready = (later: Later) => {
      const body = this.#body(window, track, file);
      answer(body === undefined ? gone(file) : { kind: 'found', value: body }, later);
    };
    if (isWhole(track, file)) {
      ready(atOnce);
      return answered;
    }
    if (!isToCome(track, file)) {
      return refuse(answer, { kind: 'not-found', detail: `${mediaFileName(file)} does not exist yet` });
    }
    const isReady = () => isWhole(track, file) || !isToCome(track, file);
    return held.hold({ window, track, kind: 'media', isReady, ready, refuse: answer });
  }

  evict(streamId: StreamId, change: 'deleted' | 'restricted'): void {
    const { streams, held } = this.#deps;
    const window = streams.window(streamId);
    if (change === 'deleted') streams.forget(streamId);
    else if (window !== undefined) held.evict(window);
  }

  drain(): void {
    this.#deps.held.drain();
  }

  /** Undefined when the file is gone: it was waited for and never came, or it is a gap. */
  #body(window: LiveWindow, track: RenditionTrack, file: Fragment): MediaBody | undefined {
    const segment = track.segment(file.segment);
    if (segment === undefined || segment.gap) return undefined;
    const mediaKind = track.spec.kind;
    const { media } = segment;
    if (file.kind === 'segment') {
      if (!segment.complete) return undefined;
      if (media !== undefined) return { kind: 'memory', mediaKind, identity: media, slices: () => media.flat() };
      return this.#stored(window, track, segment, { offset: 0, size: segment.size });
    }
    const part = segment.parts[file.part];
    if (part === undefined) return undefined;
    const slices = media?.[file.part];
    if (slices !== undefined) return { kind: 'memory', mediaKind, identity: slices, slices: () => slices };
    return this.#stored(window, track, segment, part);
  }

  #stored(
    window: LiveWindow,
    track: RenditionTrack,
    segment: TrackSegment,
    { offset, size }: { readonly offset: number; readonly size: number },
  ): MediaBody {
    const { store, keyOf } = this.#deps;
    const key = keyOf(window, track, segment.number);
    const read = async (start: number, end: number) => {
      const object = await store.get(key, { start: offset + start, end: offset + end });
      return object.ok ? object.value.bytes : undefined;
    };
    return { kind: 'stored', mediaKind: track.spec.kind, size, read };
  }
}

function refuse<T>(answer: Answer<T>, absence: Absence): Leave {
  answer(absence, atOnce);
  return answered;
}

function gone(file: MediaFile): Absence {
  return { kind: 'not-found', detail: `${mediaFileName(file)} does not exist, or no longer` };
}

/**
 * A playlist without a single complete segment is of no use to most players (they take it for broken): until there is one,
 * every request waits for it.
 */
function startOf(track: RenditionTrack): ReloadDecision | undefined {
  const { nextSegment, ended } = track.position();
  if (ended || nextSegment > track.firstListed) return undefined;
  return { kind: 'wait', until: { msn: nextSegment, part: undefined } };
}

type Fragment = Exclude<MediaFile, { kind: 'init' }>;

/** All bytes of the file are there. */
function isWhole(track: RenditionTrack, file: Fragment): boolean {
  const segment: TrackSegment | undefined = track.segment(file.segment);
  return segment !== undefined && (segment.complete || (file.kind === 'part' && file.part < segment.parts.length));
}

/** The next part, which playlists hint at, or the segment that is being written. */
function isToCome(track: RenditionTrack, file: Fragment): boolean {
  const { segment, part } = track.next;
  if (track.ended || file.segment !== segment) return false;
  return file.kind === 'part' ? file.part === part : part > 0;
}
