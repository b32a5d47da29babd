/**
 * A topic is one value: its name, how a key is made from a value, the schema of what it carries, and how long it keeps it.
 * `facts` topics carry CloudEvents (NounPastVerb, additive change only); `state` topics are compacted and carry whole
 * states; `samples` carry high-rate measurements that may be dropped and are stored in batches.
 */
import type { z } from 'zod';

export type TopicKind = 'facts' | 'state' | 'samples';

export interface Topic<T = unknown> {
  readonly name: string;
  readonly kind: TopicKind;
  readonly schema: z.ZodType<T>;
  /** The record key: all records of one key are in one partition, in order. */
  key(this: void, value: T): string;
  /** How long records are kept, ms; a state topic also keeps the last value of each key beyond it unless it expires by this. */
  readonly retentionMs: number;
  readonly partitions: number;
  readonly doc: string;
}

/** Declares a topic; 12 partitions unless said otherwise. */
export function defineTopic<T>(topic: Omit<Topic<T>, 'partitions'> & { readonly partitions?: number }): Topic<T> {
  return { partitions: 12, ...topic };
}

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;
/** Retention of a state topic whose last values never expire. */
export const keepForever = Number.POSITIVE_INFINITY;
