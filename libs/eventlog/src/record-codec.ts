/** Records as stores keep them: CloudEvents attributes beside the value's JSON text. */
import type { Topic } from '@millrace/events';
import { type IdSource, newId } from '@millrace/ids';
import { err, ok, type Result } from '@millrace/result';
import type { LogRecord, NewRecord } from './event-log.ts';
import { partitionOf } from './partitioner.ts';

interface Attributes {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly id: string;
  readonly timeMs: number;
  readonly source: string;
  readonly type: string;
}

export interface EncodedRecord extends Attributes {
  /** JSON text; undefined is a tombstone. */
  readonly value: string | undefined;
}

export interface StoredRecord extends Attributes {
  readonly offset: bigint;
  /** As JSON.parse gave it, not yet held against the topic's schema; undefined is a tombstone. */
  readonly value: unknown;
}

/** Longest key, characters, and longest value, characters of JSON. */
const maxKeyLength = 512;
const maxValueLength = 900_000;

/** Checks a record against its topic and encodes it. Throws on a value the schema refuses: the writer has a bug. */
export function encodeRecord(given: NewRecord, attributes: { ids: IdSource; source: string }): EncodedRecord {
  const { topic, key, value } = given;
  if (key.length === 0 || key.length > maxKeyLength) {
    throw new Error(`${topic.name}: expected a key of 1 to ${maxKeyLength} characters, got ${key.length}`);
  }
  if (value === undefined && topic.kind !== 'state') {
    throw new Error(
      `${topic.name}: a tombstone for ${key}, but only state topics have them (this one is ${topic.kind})`,
    );
  }
  let text: string | undefined;
  let type = topic.name;
  if (value !== undefined) {
    const checked = topic.schema.safeParse(value);
    if (!checked.success)
      throw new Error(`${topic.name}: value of ${key} does not fit its schema: ${issues(checked.error)}`);
    text = JSON.stringify(checked.data);
    if (text.length > maxValueLength) {
      throw new Error(
        `${topic.name}: value of ${key} has ${text.length} characters, at most ${maxValueLength} are kept`,
      );
    }
    type = typeOf(checked.data) ?? type;
  }
  return {
    topic: topic.name,
    partition: partitionOf(key, topic.partitions),
    key,
    id: given.id ?? newId('evt', attributes.ids),
    timeMs: given.timeMs ?? attributes.ids.nowMs(),
    source: given.source ?? attributes.source,
    type,
    value: text,
  };
}

/** Decodes a stored record; the error is a text for the log and the dead letter. */
export function decodeRecord<T>(topic: Topic<T>, stored: StoredRecord): Result<LogRecord<T>, string> {
  const { value, ...attributes } = stored;
  if (value === undefined) return ok({ ...attributes, value: undefined });
  const checked = topic.schema.safeParse(value);
  if (!checked.success) return err(`value does not fit the schema of ${topic.name}: ${issues(checked.error)}`);
  return ok({ ...attributes, value: checked.data });
}

function typeOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  return typeof value.type === 'string' ? value.type : undefined;
}

function issues(error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] }): string {
  return error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`)
    .join('; ');
}
