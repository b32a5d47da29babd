/**
 * One publish on its way to a worker: keeps the tags that a successor would need, holds the claim, and finds the next
 * worker when one is lost. Runs the effects of `core/source-assignment.ts`.
 */
import type { Clock, Timer } from '@millrace/clock';
import type { MediaTag } from '@millrace/flv';
import type { Claim, ParkedWorkers } from '@millrace/handover';
import type { Epoch } from '@millrace/ids';
import type { Logger } from '@millrace/log';
import { assertNever } from '@millrace/result';
import { GopCache } from '../core/gop-cache.ts';
import { OriginAnchor } from '../core/origin-anchor.ts';
import type { EpochSource, SourceEvents, SourceFeed, SourceOpener } from '../core/ports.ts';
import type { Broadcast } from '../core/publish-state.ts';
import {
  type AssignmentEffect,
  type AssignmentSignal,
  type AssignmentState,
  assign,
} from '../core/source-assignment.ts';
import type { IngestMetrics } from '../metrics.ts';

export interface SourceDeps {
  readonly workers: ParkedWorkers;
  readonly epochs: EpochSource;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: IngestMetrics;
  /** Bound of the tags kept for a successor, bytes a publish. */
  readonly maxCacheBytes: number;
}

/** How long an ended source that nobody holds waits for a worker to close its playlists, ms. */
const lingerMs = 10_000;

/** Opens feeds on the parked workers. */
export function createSourceOpener(deps: SourceDeps): SourceOpener {
  return { open: (broadcast, epoch, events) => new ParkedSourceFeed(deps, broadcast, epoch, events) };
}

class ParkedSourceFeed implements SourceFeed {
  readonly #deps: SourceDeps;
  readonly #broadcast: Broadcast;
  readonly #events: SourceEvents;
  readonly #log: Logger;
  readonly #cache: GopCache;
  readonly #anchor = new OriginAnchor();
  readonly #stopListening: () => void;
  #epoch: Epoch | undefined;
  #state: AssignmentState = { kind: 'empty' };
  #claim: Claim | undefined;
  #linger: Timer | undefined;

  constructor(deps: SourceDeps, broadcast: Broadcast, epoch: Epoch, events: SourceEvents) {
    this.#deps = deps;
    this.#broadcast = broadcast;
    this.#epoch = epoch;
    this.#events = events;
    this.#log = deps.log.with({ stream_id: broadcast.streamId, publish_id: broadcast.publishId });
    this.#cache = new GopCache(deps.maxCacheBytes);
    this.#stopListening = deps.workers.onParked(() => this.#signal({ kind: 'worker-parked' }));
  }

  tag(tag: MediaTag): boolean {
    if (tag.kind === 'video-frame' || tag.kind === 'audio-frame') {
      this.#anchor.observe(tag.timestampMs, this.#deps.clock.nowMs());
    }
    const before = this.#cache.overflows;
    this.#cache.add(tag);
    if (this.#cache.overflows > before) this.#deps.metrics.cacheOverflows.inc(this.#cache.overflows - before);
    if (this.#claim !== undefined) return this.#claim.tag(tag);
    // The first assignment waits for a frame, which the origin is made of; headers before it are in the cache.
    if (this.#state.kind === 'empty' && this.#anchor.begun) this.#signal({ kind: 'media' });
    return true;
  }

  interrupted(): void {
    this.#signal({ kind: 'interrupted' });
  }

  end(reason: 'ended' | 'superseded'): void {
    this.#signal({ kind: 'ended', reason });
  }

  #signal(signal: AssignmentSignal): void {
    const step = assign(this.#state, signal);
    this.#state = step.state;
    for (const effect of step.effects) this.#run(effect);
  }

  #run(effect: AssignmentEffect): void {
    switch (effect.kind) {
      case 'offer':
        return this.#offer();
      case 'tell-interrupted':
        return this.#claim?.interrupted();
      case 'end-claim':
        this.#claim?.end(effect.reason);
        this.#claim = undefined;
        return;
      case 'linger':
        this.#linger = this.#deps.clock.after(lingerMs, () => this.#signal({ kind: 'linger-passed' }));
        return;
      case 'close':
        this.#linger?.cancel();
        this.#stopListening();
        return;
      default:
        return assertNever(effect);
    }
  }

  #offer(): void {
    const { workers, epochs, metrics } = this.#deps;
    if (workers.idle === 0) {
      metrics.assignments.inc({ outcome: 'no-worker' });
      return this.#signal({ kind: 'no-worker' });
    }
    const replay = this.#cache.replay();
    const origin = this.#anchor.freeze();
    const first = replay[0];
    if (origin === undefined || first === undefined) return this.#signal({ kind: 'no-worker' });
    // The first offer goes out under the epoch that the facts name; each later one under a higher one.
    const reassigned = this.#epoch === undefined;
    const epoch = this.#epoch ?? epochs.next(this.#broadcast.streamId);
    const { streamId, publishId, latencyMode } = this.#broadcast;
    let lost = false;
    const claim = workers.assign(
      { streamId, epoch, publishId, latencyMode, ...origin, firstTimestampMs: first.timestampMs },
      {
        onLost: (loss, detail) => {
          lost = true;
          this.#lost(loss, detail, epoch);
        },
        onDrain: () => this.#events.onDrain(),
        onHeartbeat: (lastPackagedMs) => this.#cache.packaged(lastPackagedMs),
      },
    );
    if (!claim.ok) {
      metrics.assignments.inc({ outcome: 'no-worker' });
      return this.#signal({ kind: 'no-worker' });
    }
    this.#epoch = undefined;
    metrics.assignments.inc({ outcome: reassigned ? 'reassigned' : 'assigned' });
    this.#log.info('source-assigned', { epoch, worker_id: claim.value.workerId, replayed_tags: replay.length });
    if (reassigned) this.#events.onReassigned(epoch);
    if (lost) return;
    this.#claim = claim.value;
    for (const tag of replay) this.#claim.tag(tag);
    this.#signal({ kind: 'taken' });
  }

  #lost(loss: string, detail: string, epoch: Epoch): void {
    this.#claim = undefined;
    this.#deps.metrics.claimsLost.inc({ reason: loss });
    this.#log.warn('source-lost', { epoch, reason: loss, detail });
    this.#events.onDrain(); // a publisher that waited for this worker goes on
    this.#signal({ kind: 'lost' });
  }
}
