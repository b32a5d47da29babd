import type { DeviceKind } from '@millrace/events';
import type { Owner } from './recent-owners.ts';
import type { HomeTag, ViewerSessionId } from './session-id.ts';

/** What is known of a viewer without keeping his address. */
export interface ViewerProfile {
  readonly viewerHash: string;
  readonly country: string | undefined;
  readonly device: DeviceKind;
  readonly player: string;
}

/** Who counts a session, as this instance sees it. */
export type SessionState =
  /** This instance does. */
  | { readonly kind: 'counted' }
  /** This instance has said that it will; it counts once its word came back through the log and had time to reach all others. `unsure`: who did before is not known. */
  | { readonly kind: 'claiming'; readonly settledAtMs: number | undefined; readonly unsure: boolean }
  /** Another does, as far as is known; when nothing is known, this one claims the session at `claimAtMs`. */
  | { readonly kind: 'guest'; readonly owner: Owner | undefined; readonly claimAtMs: number }
  /** The viewer has quit: what of his requests is still on its way does not bring him back. */
  | { readonly kind: 'gone'; readonly untilMs: number };

/** A viewer that this instance hears. Times are monotonic, ms, unless they say otherwise. */
export interface ViewerSession {
  readonly id: ViewerSessionId;
  readonly home: HomeTag;
  /** Wall clock of the home; undefined for a session without one. */
  readonly mintedAtMs: number | undefined;
  readonly streamId: string;
  readonly playbackId: string;
  /** Owner of the stream. */
  readonly ownerId: string;
  readonly addressKey: string;
  readonly profile: ViewerProfile;
  state: SessionState;
  /** The last sign of life. */
  heardMs: number;
  /** A silence until then is none. */
  aliveUntilMs: number;
  /** Requests that are held: who waits for an answer is not silent. */
  held: number;
  /** Whether it ever reloaded a playlist here; others are kept alive by beacons alone. */
  reloads: boolean;
  /** Wall clock of when the viewer began, whichever instance he began at. */
  joinedAtMs: number;
  /** When the present stretch of counting began. */
  startedMs: number;
  /** Own words that the session is counted here, that have not come back through the log. */
  pendingJoins: number;
}

/** What a session is made of when it is heard for the first time. */
export interface Newcomer {
  readonly playbackId: string;
  readonly ownerId: string;
  readonly addressKey: string;
  readonly profile: ViewerProfile;
}
