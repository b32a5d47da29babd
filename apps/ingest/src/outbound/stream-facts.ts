/** Writes what happened to broadcasts: facts to the spool, health samples as they come. */

import type { Clock } from '@millrace/clock';
import type { FactWriter } from '@millrace/eventlog';
import { type HealthSample, healthTopic, type LiveStreamFact, liveStreamsTopic } from '@millrace/events';
import type { Logger } from '@millrace/log';
import { assertNever } from '@millrace/result';
import type { FactSink } from '../core/ports.ts';
import type { Effect } from '../core/publish-state.ts';
import type { IngestMetrics } from '../metrics.ts';

type RecordEffect = Extract<Effect, { kind: 'record' }>;

export interface StreamFactsDeps {
  readonly facts: FactWriter;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: IngestMetrics;
  readonly instanceId: string;
  readonly reconnectWindowMs: number;
}

export class StreamFacts implements FactSink {
  readonly #deps: StreamFactsDeps;
  readonly #pending = new Set<Promise<void>>();

  constructor(deps: StreamFactsDeps) {
    this.#deps = deps;
  }

  /** Facts that are not known to be safe yet. */
  get pending(): number {
    return this.#pending.size;
  }

  record(effect: RecordEffect): void {
    const fact = this.#factOf(effect);
    const { facts, log, metrics } = this.#deps;
    log.info(`stream-${effect.what}`, { stream_id: fact.stream_id, epoch: fact.epoch, publish_id: fact.publish_id });
    const written = facts.fact(liveStreamsTopic, fact).catch((error: unknown) => {
      metrics.factsFailed.inc({ type: fact.type });
      log.error('fact-not-written', { type: fact.type, stream_id: fact.stream_id, epoch: fact.epoch, error });
    });
    this.#pending.add(written);
    void written.then(() => this.#pending.delete(written)); // cannot reject: caught above
  }

  health(sample: HealthSample): void {
    this.#deps.facts.sample(healthTopic, sample);
  }

  /** Resolves when every fact so far is safe or has failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  #factOf(effect: RecordEffect): LiveStreamFact {
    const { broadcast, epoch } = effect;
    const common = {
      stream_id: broadcast.streamId,
      owner_id: broadcast.ownerId,
      epoch,
      publish_id: broadcast.publishId,
      instance_id: this.#deps.instanceId,
      at_ms: Math.trunc(this.#deps.clock.nowMs()),
    };
    const sender = {
      key_id: broadcast.keyId,
      ...(broadcast.encoder === undefined ? {} : { encoder: broadcast.encoder }),
    };
    switch (effect.what) {
      case 'published':
        return { type: 'StreamPublished', ...common, ...sender };
      case 'resumed':
        return { type: 'StreamResumed', ...common, ...sender };
      case 'interrupted':
        return { type: 'StreamInterrupted', ...common, reason: effect.reason, window_ms: this.#deps.reconnectWindowMs };
      case 'ended':
        return { type: 'StreamEnded', ...common, reason: effect.reason };
      default:
        return assertNever(effect);
    }
  }
}
