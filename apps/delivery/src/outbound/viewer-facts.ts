/**
 * What follows from sessions: facts, counters, the audience. Joins and leaves are facts: the writer syncs those of one moment
 * together, so that a thousand a second cost some tens of syncs. The audience and the beacons are samples.
 */
import type { Clock } from '@millrace/clock';
import type { FactWriter } from '@millrace/eventlog';
import { audienceTopic, type ViewerFact, type ViewerLeaveReason, viewerSessionsTopic } from '@millrace/events';
import type { Logger } from '@millrace/log';
import type { AudienceStatement } from '../core/audience-counts.ts';
import type { ViewerSession } from '../core/viewer-session.ts';
import type { SessionObserver } from '../core/viewer-sessions.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import type { JournalEntry, ViewerJournal, ViewerLeft } from './viewer-journal.ts';

export interface ViewerFactsDeps {
  readonly facts: FactWriter;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: DeliveryMetrics;
  /** Keeps who is counted beyond the process; without one, those whom a crash cuts off get no end from here. */
  readonly journal?: ViewerJournal | undefined;
  /** A session's word that it is counted here was not written. */
  readonly onJoinLost: (session: ViewerSession) => void;
  readonly onForgotten: (session: ViewerSession) => void;
}

/** Facts that wait for the disk; what comes beyond is lost, and counted. */
const mostInFlight = 50_000;
/** Ends of sessions that an earlier process left open, written at once. */
const endsAtOnce = 500;

export class ViewerFacts implements SessionObserver, AsyncDisposable {
  readonly #deps: ViewerFactsDeps;
  readonly #inFlight = new Set<Promise<void>>();
  #warned = false;

  constructor(deps: ViewerFactsDeps) {
    this.#deps = deps;
  }

  joined(session: ViewerSession, resumed: boolean): void {
    const { metrics, journal, onJoinLost } = this.#deps;
    metrics.viewerJoins.inc({ kind: resumed ? 'resumed' : 'new' });
    const fact = { ...this.#viewer(session), type: 'ViewerJoined', resumed } as const;
    journal?.joined(fact);
    this.#write(fact, { lost: () => onJoinLost(session) });
  }

  left(session: ViewerSession, reason: ViewerLeaveReason, countedMs: number): void {
    const { metrics, journal } = this.#deps;
    metrics.viewerLeaves.inc({ reason });
    const entry = journal?.of(session.id);
    const fact = { ...this.#viewer(session), type: 'ViewerLeft', reason, counted_ms: Math.round(countedMs) } as const;
    // An end that was not written is written after the next start.
    this.#write(fact, { written: () => entry !== undefined && journal?.left(entry) });
  }

  /** Says of sessions that an earlier process left open that they have ended. Those that began anew here have not. */
  async endEarlier(open: ReadonlyMap<JournalEntry, ViewerLeft>, signal: AbortSignal): Promise<void> {
    const { journal, metrics } = this.#deps;
    const ends = [...open];
    for (let i = 0; i < ends.length && !signal.aborted; i += endsAtOnce) {
      for (const [entry, fact] of ends.slice(i, i + endsAtOnce)) {
        if (journal?.of(entry.sessionId) !== entry) continue;
        metrics.viewerLeaves.inc({ reason: 'evicted' });
        this.#write(fact, { written: () => journal.left(entry) });
      }
      await Promise.all(this.#inFlight);
    }
  }

  refused(reason: Parameters<SessionObserver['refused']>[0]): void {
    this.#deps.metrics.sessionRefusals.inc({ reason });
  }

  forgotten(session: ViewerSession): void {
    this.#deps.onForgotten(session);
  }

  audience(statements: readonly AudienceStatement[]): void {
    const { facts, clock } = this.#deps;
    for (const { streamId, viewers } of statements) {
      facts.sample(audienceTopic, {
        ...{ type: 'AudienceCounted', stream_id: streamId, instance_id: facts.instanceId },
        ...{ incarnation: facts.incarnation, viewers, at_ms: clock.nowMs() },
      });
    }
  }

  /** Waits for what is being written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#inFlight);
  }

  #viewer(session: ViewerSession) {
    const { viewerHash, country, device, player } = session.profile;
    return {
      session_id: session.id,
      stream_id: session.streamId,
      playback_id: session.playbackId,
      owner_id: session.ownerId,
      instance_id: this.#deps.facts.instanceId,
      at_ms: this.#deps.clock.nowMs(),
      joined_at_ms: session.joinedAtMs,
      viewer_hash: viewerHash,
      ...(country === undefined ? {} : { country }),
      device,
      player,
    };
  }

  #write(fact: ViewerFact, then: { readonly written?: () => unknown; readonly lost?: () => void }): void {
    const { facts, log, metrics } = this.#deps;
    const lost = (reason: 'spool' | 'too-many', error?: unknown) => {
      metrics.sessionFactsLost.inc({ reason });
      if (!this.#warned) log.error('viewer-fact-lost', { reason, error });
      this.#warned = true;
      then.lost?.();
    };
    if (this.#inFlight.size >= mostInFlight) return lost('too-many');
    const written = facts.fact(viewerSessionsTopic, fact).then(
      () => {
        this.#warned = false;
        then.written?.();
      },
      (error: unknown) => lost('spool', error),
    );
    this.#inFlight.add(written);
    void written.then(() => this.#inFlight.delete(written)); // never rejects: both ends are handled above
  }
}
