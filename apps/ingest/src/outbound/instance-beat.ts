import type { Clock } from '@millrace/clock';
import type { FactWriter } from '@millrace/eventlog';
import { instancesTopic } from '@millrace/events';

const periodMs = 2_000;

/** Says every 2 s that this instance is alive; control ends the streams of one that fell silent. */
export function beatInstance(facts: FactWriter, clock: Clock): Disposable {
  const beat = () =>
    facts.sample(instancesTopic, {
      instance_id: facts.instanceId,
      incarnation: facts.incarnation,
      service: 'ingest',
      at_ms: Math.trunc(clock.nowMs()),
    });
  beat();
  const timer = clock.every(periodMs, beat);
  return { [Symbol.dispose]: () => timer.cancel() };
}
