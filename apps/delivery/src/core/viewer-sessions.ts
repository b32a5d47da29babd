/**
 * The viewers that this instance hears: who they are, whether they are still there, and whether it counts them or another
 * does. Pure: time comes in, what follows goes to the observer. A session is known from the first media playlist or
 * beacon on; fetching a multivariant playlist makes nobody a viewer.
 */
import type { ViewerLeaveReason } from '@millrace/events';
import type { AudienceCounts } from './audience-counts.ts';
import { parseSessionId, type SessionIdentity, type ViewerSessionId } from './session-id.ts';
import type { LimitReason, SessionLimits } from './session-limits.ts';
import { type SessionOwners, settleMs } from './session-owners.ts';
import type { Newcomer, SessionState, ViewerSession } from './viewer-session.ts';

/** What is to be said of sessions. Must not throw. */
export interface SessionObserver {
  /** Counting, or the claim to count, begins. `resumed`: the viewer was counted before, here or elsewhere. */
  joined(session: ViewerSession, resumed: boolean): void;
  /** It ends. `countedMs`: from `joined` to the last sign of life. */
  left(session: ViewerSession, reason: ViewerLeaveReason, countedMs: number): void;
  /** A session that is not kept track of; who plays notices nothing. */
  refused(reason: LimitReason | 'bad-id'): void;
  /** It is not known here any more. */
  forgotten(session: ViewerSession): void;
}

export interface ViewerSessionsDeps {
  readonly owners: SessionOwners;
  readonly limits: SessionLimits;
  readonly audience: AudienceCounts;
  readonly observer: SessionObserver;
}

/** A sign of life of a session that is not known yet. */
export interface FirstSign {
  readonly identity: SessionIdentity;
  readonly streamId: string;
  readonly nowMs: number;
  readonly wallMs: number;
  readonly allowanceMs: number;
  readonly newcomer: () => Newcomer;
}

/** A word of an instance from playback.sessions.v1. */
export interface SessionWord {
  readonly sessionId: string;
  readonly instanceId: string;
  readonly kind: 'joined' | ViewerLeaveReason;
}

const goneMs = 5_000;
const longestViewMs = 24 * 3_600_000;

export class ViewerSessions {
  readonly #deps: ViewerSessionsDeps;
  readonly #sessions = new Map<string, ViewerSession>();
  readonly #claiming = new Set<ViewerSession>();

  constructor(deps: ViewerSessionsDeps) {
    this.#deps = deps;
  }

  /** By state, for the gauge. */
  counts(): Readonly<Record<SessionState['kind'], number>> {
    const counts = { counted: 0, claiming: 0, guest: 0, gone: 0 };
    for (const { state } of this.#sessions.values()) counts[state.kind]++;
    return counts;
  }

  /** The session of that id, if it is one of the stream. */
  find(sessionId: string, streamId: string): ViewerSession | undefined {
    const session = this.#sessions.get(sessionId);
    return session?.streamId === streamId ? session : undefined;
  }

  /** A known viewer gave a sign of life; a silence of `allowanceMs` from now on is none. */
  heard(session: ViewerSession, nowMs: number, allowanceMs: number): void {
    session.heardMs = nowMs;
    session.aliveUntilMs = nowMs + allowanceMs;
    const { state } = session;
    if (state.kind === 'guest' && this.#deps.owners.isUnowned(session.home, state, nowMs)) {
      this.#claim(session, state.owner === undefined, nowMs);
    }
  }

  /** Somebody gave his first sign of life. Undefined: he is not kept track of. */
  begin(sign: FirstSign): ViewerSession | undefined {
    const { owners, limits, observer } = this.#deps;
    const { identity, streamId, nowMs, wallMs } = sign;
    if (this.#sessions.has(identity.id)) return undefined; // one of another stream: an id has one stream
    const newcomer = sign.newcomer();
    const refusal = limits.enter(streamId, newcomer.addressKey, nowMs);
    if (refusal !== undefined) {
      observer.refused(refusal);
      return undefined;
    }
    const opening = owners.opening(identity, nowMs, wallMs);
    // Written out: objects made of others by spread take V8 eighty times as long to look at, and the sweep looks at all.
    const session: ViewerSession = {
      id: identity.id,
      home: identity.home,
      mintedAtMs: identity.mintedAtMs,
      playbackId: newcomer.playbackId,
      ownerId: newcomer.ownerId,
      addressKey: newcomer.addressKey,
      profile: newcomer.profile,
      streamId,
      state: opening.kind === 'guest' ? opening.state : { kind: 'guest', owner: 'nobody', claimAtMs: nowMs },
      heardMs: nowMs,
      aliveUntilMs: nowMs + sign.allowanceMs,
      held: 0,
      reloads: false,
      joinedAtMs: opening.kind === 'count' ? wallMs : beganAtMs(identity, wallMs),
      startedMs: nowMs,
      pendingJoins: 0,
    };
    this.#sessions.set(identity.id, session);
    if (opening.kind === 'count') this.#count(session, nowMs);
    else if (opening.kind === 'claim') this.#claim(session, opening.unsure, nowMs);
    return session;
  }

  /** Reads an id of a path and begins, or tells of what it is not. */
  beginById(sessionId: string, sign: Omit<FirstSign, 'identity'>): ViewerSession | undefined {
    const identity = parseSessionId(sessionId);
    if (identity !== undefined) return this.begin({ ...sign, identity });
    this.#deps.observer.refused('bad-id');
    return undefined;
  }

  /** The player said that it is over. */
  quit(session: ViewerSession, reason: 'quit' | 'stream-ended', nowMs: number): void {
    this.#leave(session, reason);
    session.state = { kind: 'gone', untilMs: nowMs + goneMs };
  }

  streamEnded(streamId: string, nowMs: number): void {
    for (const session of this.#sessions.values()) {
      if (session.streamId === streamId && session.state.kind !== 'gone') this.quit(session, 'stream-ended', nowMs);
    }
  }

  /** An instance said something of a session: this one may have to yield, or may have to take over. */
  word(word: SessionWord, nowMs: number): void {
    const { owners } = this.#deps;
    // What an instance that died had counted, said after its return: others may have counted and died since, so it frees nobody.
    if (word.kind === 'evicted') return;
    owners.note(word.sessionId as ViewerSessionId, word.instanceId, word.kind, nowMs);
    const session = this.#sessions.get(word.sessionId);
    if (session === undefined) return;
    if (word.kind === 'joined') this.#joinedElsewhere(session, word.instanceId);
    else this.#leftElsewhere(session, word.instanceId, word.kind, nowMs);
  }

  /** An own word that the session is counted came back through the log, or is lost. */
  ownJoinSeen(sessionId: string, nowMs: number): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined || session.pendingJoins === 0) return;
    session.pendingJoins--;
    if (session.state.kind !== 'claiming' || session.pendingJoins > 0) return;
    session.state = { ...session.state, settledAtMs: nowMs + settleMs };
  }

  /** An own word that the session is not counted here any more came back: who comes again has been here before. */
  ownLeaveSeen(sessionId: string, reason: ViewerLeaveReason, nowMs: number): void {
    if (reason === 'evicted') return; // as in `word`
    this.#deps.owners.ownLeave(sessionId as ViewerSessionId, reason, nowMs);
  }

  /** A delivery began anew: what it counted it may not know any more. */
  restarted(instanceId: string, nowMs: number): void {
    this.#deps.owners.restarted(instanceId);
    for (const session of this.#sessions.values()) {
      if (session.state.kind !== 'guest') continue;
      session.state = this.#deps.owners.afterRestart(session.home, session.state, instanceId, nowMs);
    }
  }

  /** Counts the claims that have settled; cheap, for every tick. */
  settle(nowMs: number): void {
    const { owners } = this.#deps;
    for (const session of this.#claiming) {
      const { state } = session;
      if (state.kind !== 'claiming') this.#claiming.delete(session);
      else if (state.settledAtMs !== undefined && owners.isSettled(state.settledAtMs, state.unsure, nowMs)) {
        this.#setCounted(session);
      }
    }
  }

  /** Ends the sessions that are silent; looks at all of them. */
  sweep(nowMs: number): void {
    this.#deps.owners.sweep(nowMs);
    for (const session of this.#sessions.values()) {
      if (session.state.kind === 'gone') {
        if (nowMs >= session.state.untilMs) this.#forget(session);
      } else if (session.held === 0 && nowMs > session.aliveUntilMs) {
        this.#leave(session, 'silent');
        this.#forget(session);
      }
    }
  }

  /** Forgets a guest that turned out to be another session; one that is counted is said to have moved. */
  dissolve(session: ViewerSession): void {
    this.#leave(session, 'moved');
    this.#forget(session);
  }

  /** The instance stops: others may take its viewers. */
  drain(): void {
    for (const session of [...this.#sessions.values()]) {
      this.#leave(session, 'draining');
      this.#forget(session);
    }
  }

  #joinedElsewhere(session: ViewerSession, instanceId: string): void {
    const { state } = session;
    if (state.kind === 'gone') return;
    // An own word that has not come back stands behind the other in the log: the other will yield.
    if (state.kind !== 'guest' && session.pendingJoins > 0) return;
    this.#leave(session, 'moved');
    session.state = { kind: 'guest', owner: instanceId, claimAtMs: Number.POSITIVE_INFINITY };
  }

  #leftElsewhere(session: ViewerSession, instanceId: string, reason: ViewerLeaveReason, nowMs: number): void {
    const { state } = session;
    if (state.kind !== 'guest' || (state.owner !== undefined && state.owner !== instanceId)) return;
    if (reason === 'moved') return; // to somebody whose word stands before this one
    if (reason === 'quit' || reason === 'stream-ended') {
      session.state = { kind: 'gone', untilMs: nowMs + goneMs };
      return;
    }
    session.state = { kind: 'guest', owner: 'nobody', claimAtMs: nowMs }; // his next sign of life claims him
  }

  #count(session: ViewerSession, nowMs: number): void {
    session.startedMs = nowMs;
    session.pendingJoins++;
    this.#setCounted(session);
    this.#deps.observer.joined(session, false);
  }

  #claim(session: ViewerSession, unsure: boolean, nowMs: number): void {
    session.startedMs = nowMs;
    session.pendingJoins++;
    session.state = { kind: 'claiming', settledAtMs: undefined, unsure };
    this.#claiming.add(session);
    this.#deps.observer.joined(session, true);
  }

  #setCounted(session: ViewerSession): void {
    this.#claiming.delete(session);
    session.state = { kind: 'counted' };
    this.#deps.audience.add(session.streamId, 1);
  }

  /** Ends the counting, if there was any. */
  #leave(session: ViewerSession, reason: ViewerLeaveReason): void {
    const { state } = session;
    if (state.kind === 'guest' || state.kind === 'gone') return;
    if (state.kind === 'counted') this.#deps.audience.add(session.streamId, -1);
    this.#claiming.delete(session);
    this.#deps.observer.left(session, reason, Math.max(0, session.heardMs - session.startedMs));
  }

  #forget(session: ViewerSession): void {
    this.#sessions.delete(session.id);
    this.#deps.limits.leave(session.streamId, session.addressKey);
    this.#deps.observer.forgotten(session);
  }
}

/** When a viewer began who did not begin here: when his session was minted, as far as that can be believed. */
function beganAtMs({ mintedAtMs }: SessionIdentity, wallMs: number): number {
  if (mintedAtMs === undefined || mintedAtMs > wallMs || wallMs - mintedAtMs > longestViewMs) return wallMs;
  return mintedAtMs;
}
