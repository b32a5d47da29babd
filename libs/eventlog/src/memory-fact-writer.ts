import type { Topic } from '@millrace/events';
import type { EventLog } from './event-log.ts';
import type { FactWriter } from './fact-writer.ts';
import { record } from './new-record.ts';

/** A fact writer that publishes straight into `eventLog`, for unit tests: a fact is in the log when it resolves. */
export function openMemoryFactWriter(
  eventLog: EventLog,
  options: { readonly instanceId?: string; readonly incarnation?: number; readonly sampleRoom?: () => number } = {},
): FactWriter {
  const instanceId = options.instanceId ?? 'instance-1';
  const source = instanceId;
  return {
    instanceId,
    incarnation: options.incarnation ?? 1,
    fact: <T>(topic: Topic<T>, value: T) => eventLog.publish([record(topic, value, { source })]),
    sample: <T>(topic: Topic<T>, value: T) => {
      eventLog.publish([record(topic, value, { source })]).catch(() => {}); // a sample may be lost
    },
    get sampleRoom() {
      return options.sampleRoom?.() ?? 10_000;
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
