/**
 * Who counts a session that several instances hear (docs/decisions/0055). Everybody reads the same words in the same order,
 * because they are keyed by session: whoever said last that he counts it does so, until he says that he has ceased.
 *
 * - Its home counts a session that it has just minted at once: nobody else can have claimed it.
 * - Everybody else, and a home that began anew, claims first: says so, waits for his word to come back and `settleMs` more,
 *   in which every instance that keeps up reads it and yields. Thus a session is counted by nobody for a moment, never by two.
 *   Where it is not known who counted the session before, that may be one that has just died without a word and is still
 *   summed up by readers: then the claim settles only when every other instance was seen after that time, or is dead.
 * - A guest claims on a sign of life when the owner has ceased or is dead, or nobody has ever said that he counts it.
 */
import type { ViewerLeaveReason } from '@millrace/events';
import type { PeerInstances } from './peer-instances.ts';
import type { Owner, RecentOwners } from './recent-owners.ts';
import { type HomeTag, homeTag, type SessionIdentity, type ViewerSessionId } from './session-id.ts';
import type { SessionState } from './viewer-session.ts';

/** How much later than the claimer another instance may read a claim. */
export const settleMs = 1_000;
/** How long the home gets to say that it counts a session that it has just minted. */
export const homeWordMs = 1_500;
/** The same for a session of which words may have been missed: longer than any silence that ends one. */
const missedWordMs = 30_000;
/** An owner that began anew gets this long to claim its sessions again. */
const restartMs = 8_000;
/** A session is fresh for this long; words about it are remembered longer. */
const freshMs = 45_000;
/** How far wall clocks may be apart: of a session minted this little after an instance began it may have missed words. */
export const clockSkewMs = 5_000;

export interface SessionOwnersDeps {
  readonly instanceId: string;
  readonly peers: PeerInstances;
  readonly recent: RecentOwners;
  /** Wall clock of this start, ms. */
  readonly startedAtMs: number;
}

/** What to do about a session that is heard for the first time. */
export type Opening =
  | { readonly kind: 'count' }
  | { readonly kind: 'claim'; readonly unsure: boolean }
  | { readonly kind: 'guest'; readonly state: SessionState & { kind: 'guest' } };

export class SessionOwners {
  readonly home: HomeTag;
  readonly #deps: SessionOwnersDeps;

  constructor(deps: SessionOwnersDeps) {
    this.#deps = deps;
    this.home = homeTag(deps.instanceId);
  }

  opening(identity: SessionIdentity, nowMs: number, wallMs: number): Opening {
    const { instanceId, peers, recent, startedAtMs } = this.#deps;
    const { mintedAtMs } = identity;
    const known = recent.of(identity.id);
    if (known !== undefined && known !== 'nobody' && known !== instanceId && peers.isAlive(known)) {
      return guestOf(known, Number.POSITIVE_INFINITY);
    }
    const ageMs = mintedAtMs === undefined ? Number.POSITIVE_INFINITY : wallMs - mintedAtMs;
    const fresh = ageMs <= freshMs && ageMs >= -clockSkewMs;
    if (identity.home === this.home) {
      const unheardOf = known === undefined && fresh && (mintedAtMs ?? 0) >= startedAtMs;
      return unheardOf ? { kind: 'count' } : { kind: 'claim', unsure: known === undefined };
    }
    if (mintedAtMs === undefined) return guestOf(undefined, nowMs + homeWordMs);
    if (known !== undefined) return { kind: 'claim', unsure: false };
    const homeId = peers.ofTag(identity.home);
    if (homeId === undefined) return guestOf(undefined, nowMs + homeWordMs);
    if (!peers.isAlive(homeId)) return { kind: 'claim', unsure: true };
    const allHeard = fresh && recent.isCompleteSince(nowMs - ageMs - clockSkewMs);
    return guestOf(undefined, nowMs + (allHeard ? homeWordMs : missedWordMs));
  }

  /** Whether a guest that gives a sign of life now is counted by nobody. */
  isUnowned(home: HomeTag, state: SessionState & { kind: 'guest' }, nowMs: number): boolean {
    const { peers } = this.#deps;
    if (state.owner === 'nobody') return true;
    if (state.owner !== undefined) return !peers.isAlive(state.owner);
    if (nowMs >= state.claimAtMs) return true;
    const homeId = peers.ofTag(home);
    return homeId !== undefined && !peers.isAlive(homeId);
  }

  /** Whether another delivery is alive that may hear the same viewers. */
  get hasPeers(): boolean {
    return this.#deps.peers.hasLiving;
  }

  /** Whether a claim that came back, and was due at `settledAtMs`, may count now. */
  isSettled(settledAtMs: number, unsure: boolean, nowMs: number): boolean {
    return nowMs >= settledAtMs && (!unsure || this.#deps.peers.areSeenSince(settledAtMs));
  }

  /** What is known of a guest whose owner, or home without a known owner, began anew. */
  afterRestart(
    home: HomeTag,
    state: SessionState & { kind: 'guest' },
    instanceId: string,
    nowMs: number,
  ): SessionState {
    const concerned = state.owner === instanceId || (state.owner === undefined && home === homeTag(instanceId));
    if (!concerned) return state;
    return { kind: 'guest', owner: undefined, claimAtMs: Math.min(state.claimAtMs, nowMs + restartMs) };
  }

  /** A delivery began anew. */
  restarted(instanceId: string): void {
    this.#deps.recent.forgetOwner(instanceId);
  }

  /** Forgets what is too old to matter. */
  sweep(nowMs: number): void {
    this.#deps.recent.sweep(nowMs);
  }

  ownLeave(id: ViewerSessionId, reason: ViewerLeaveReason, nowMs: number): void {
    this.note(id, this.#deps.instanceId, reason, nowMs);
  }

  /** Remembers a word of anybody; own joins only where others have spoken too. */
  note(id: ViewerSessionId, instanceId: string, kind: 'joined' | ViewerLeaveReason, nowMs: number): void {
    const { recent, instanceId: own } = this.#deps;
    const known = recent.of(id);
    const counts = kind === 'joined';
    if (counts && instanceId === own && known === undefined) return;
    if (counts) recent.set(id, instanceId, nowMs);
    // Who has yielded did so to somebody: when that is not known any more, nothing is.
    else if (known === instanceId || (known === undefined && kind !== 'moved')) recent.set(id, 'nobody', nowMs);
  }
}

function guestOf(owner: Owner | undefined, claimAtMs: number): Opening {
  return { kind: 'guest', state: { kind: 'guest', owner, claimAtMs } };
}
