import type { Clock } from '@millrace/clock';
import type { FactWriter } from '@millrace/eventlog';
import { type RenditionFact, renditionsTopic } from '@millrace/events';
import type { RenditionSpec } from '@millrace/handover';
import type { Epoch, StreamId } from '@millrace/ids';
import type { Logger } from '@millrace/log';
import type { RenditionFacts } from '../core/ports.ts';

/** Publishes RenditionStarted through `facts`. Closing waits for the facts under way. */
export function createRenditionFacts(deps: {
  readonly facts: FactWriter;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onFailed: () => void;
}): RenditionFacts & AsyncDisposable {
  const { facts, clock, log } = deps;
  const pending = new Set<Promise<void>>();
  return {
    started(streamId, epoch, renditions) {
      for (const spec of renditions) {
        const fact = facts
          .fact(renditionsTopic, describe(spec, { streamId, epoch, instanceId: facts.instanceId, atMs: clock.nowMs() }))
          .catch((error: unknown) => {
            deps.onFailed();
            log.error('rendition-fact-lost', { stream_id: streamId, rendition: spec.name, error });
          })
          .finally(() => pending.delete(fact));
        pending.add(fact);
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(pending);
    },
  };
}

function describe(
  spec: RenditionSpec,
  at: { readonly streamId: StreamId; readonly epoch: Epoch; readonly instanceId: string; readonly atMs: number },
): RenditionFact {
  return {
    type: 'RenditionStarted',
    stream_id: at.streamId,
    epoch: at.epoch,
    instance_id: at.instanceId,
    at_ms: at.atMs,
    rendition: spec.name,
    kind: spec.kind,
    codecs: spec.codecs,
    width: spec.width,
    height: spec.height,
    frame_rate: spec.frameRate,
    sample_rate: spec.sampleRate,
    channels: spec.channels,
  };
}
