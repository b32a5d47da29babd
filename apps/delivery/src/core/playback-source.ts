/**
 * Where playback comes from: the live windows of this process, or an origin in front of which it stands. Routes ask, and
 * know nothing of where the bytes are; whoever may not see a stream has been turned away before anybody is asked.
 */
import type { MultivariantPlaylistView, ReloadQuery } from '@millrace/hls';
import type { StreamId } from '@millrace/ids';
import type { MediaFile } from './playback-path.ts';
import type { Later } from './waiting-room.ts';

/** Why there is nothing to send. */
export type Absence =
  | { readonly kind: 'not-live' }
  | { readonly kind: 'ended' }
  /** What was asked for does not exist, or not yet, or no longer. */
  | { readonly kind: 'not-found'; readonly detail: string }
  | { readonly kind: 'bad-request'; readonly detail: string }
  | { readonly kind: 'unavailable'; readonly reason: UnavailableReason; readonly detail: string }
  /** What was waited for, or the right to it, is gone: everything is to be checked again. */
  | { readonly kind: 'ask-again' };

export type UnavailableReason = 'timed-out' | 'too-busy' | 'starting' | 'draining' | 'origin-away';

export type Outcome<T> = { readonly kind: 'found'; readonly value: T } | Absence;

/** Called once, at once or later; must not throw. What can wait until all others are answered too goes to `later`. */
export type Answer<T> = (outcome: Outcome<T>, later: Later) => void;

/** Takes the asker out because its client has gone; after the answer it does nothing. */
export type Leave = () => void;

/** What a stream is made of. URIs of the view are the names of the renditions. */
export type MultivariantFacts = MultivariantPlaylistView;

/** A media playlist. One object stands for one version of it, so that answers can be made once for each. */
export interface PlaylistBody {
  readonly targetDurationS: number;
  readonly plain: () => Uint8Array;
  readonly gzip: () => Uint8Array;
  /** Since when a copy of it is kept, wall clock, ms; undefined: it is no copy. */
  readonly storedAtMs?: number;
}

export type MediaBody =
  | {
      readonly kind: 'memory';
      readonly mediaKind: 'video' | 'audio';
      /** Lives as long as the bytes do: answers are made once for each. */
      readonly identity: object;
      readonly slices: () => readonly Uint8Array[];
      /** Since when a copy of it is kept, wall clock, ms; undefined: it is no copy. */
      readonly storedAtMs?: number;
    }
  | {
      readonly kind: 'stored';
      readonly mediaKind: 'video' | 'audio';
      readonly size: number;
      /** Reads the bytes from `start` to `end`, inclusive; undefined when they are gone. */
      readonly read: (start: number, end: number) => Promise<AsyncIterable<Uint8Array> | undefined>;
    };

export interface PlaylistAsk {
  readonly streamId: StreamId;
  readonly rendition: string;
  readonly query: ReloadQuery;
}

export interface MediaAsk {
  readonly streamId: StreamId;
  readonly rendition: string;
  readonly file: MediaFile;
}

export interface PlaybackSource {
  multivariant(streamId: StreamId, answer: Answer<MultivariantFacts>): Leave;
  /** Answers when the playlist lists what the query asks for. */
  playlist(ask: PlaylistAsk, answer: Answer<PlaylistBody>): Leave;
  /** Answers when the file is whole. */
  media(ask: MediaAsk, answer: Answer<MediaBody>): Leave;
  /** The stream was deleted, or is private now: who waits for it is to ask again. */
  evict(streamId: StreamId, change: 'deleted' | 'restricted'): void;
  /** Answers everybody and holds nobody from now on. */
  drain(): void;
  /** Askers that wait. */
  readonly waiting: number;
}

/** The leave of one who was answered at once. */
export const answered: Leave = () => {};
