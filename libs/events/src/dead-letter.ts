import { z } from 'zod';
import { dayMs, defineTopic, type Topic } from './topic.ts';

const deadLetter = z.object({
  type: z.literal('RecordParked'),
  topic: z.string(),
  partition: z.int(),
  /** Decimal: offsets are 64-bit. */
  offset: z.string(),
  key: z.string(),
  event_id: z.string(),
  group: z.string(),
  error: z.string(),
  attempts: z.int(),
  /** The record's value as it stood in the log; null for a tombstone. */
  value: z.unknown(),
  at_ms: z.int(),
});
export type DeadLetter = z.infer<typeof deadLetter>;

/** Where a group parks the records of `topic` that its handler refused for good: `<topic>.dlq`, kept for 14 days. */
export function deadLetterTopicOf(topic: Topic): Topic<DeadLetter> {
  return defineTopic<DeadLetter>({
    name: `${topic.name}.dlq`,
    kind: 'facts',
    schema: deadLetter,
    key: (value) => value.key,
    retentionMs: 14 * dayMs,
    partitions: topic.partitions,
    doc: `Records of ${topic.name} that a group could not handle, with the error and where they stood.`,
  });
}
