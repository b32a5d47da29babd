import type { Topic } from '@millrace/events';
import type { NewRecord } from './event-log.ts';

/** A record of `topic` that carries `value` under the key the topic makes of it. */
export function record<T>(
  topic: Topic<T>,
  value: T,
  attributes: Pick<NewRecord, 'id' | 'timeMs' | 'source'> = {},
): NewRecord<T> {
  return { topic, key: topic.key(value), value, ...attributes };
}

/** A record that removes `key` from a state topic. */
export function tombstone<T>(topic: Topic<T>, key: string): NewRecord<T> {
  return { topic, key, value: undefined };
}
