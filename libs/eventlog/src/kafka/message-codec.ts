/** Records as Kafka messages: CloudEvents in binary mode (cloudevents kafka-protocol-binding 1.0.2, section 3.2). */
import type { DeadLetter } from '@millrace/events';
import type { IHeaders, KafkaMessage, Message } from 'kafkajs';
import type { EncodedRecord, StoredRecord } from '../record-codec.ts';

/** The partition is given, not left to the client: both adapters place a key by `partitionOf`. */
export function encodeMessage(record: EncodedRecord, nowMs: number): Message & { partition: number } {
  const headers: IHeaders = {
    ce_specversion: '1.0',
    ce_id: record.id,
    ce_source: record.source,
    ce_type: record.type,
    ce_time: new Date(record.timeMs).toISOString(),
    'content-type': 'application/json',
  };
  if (record.type === 'RecordParked' && record.value !== undefined) Object.assign(headers, errorHeaders(record.value));
  return {
    key: record.key,
    value: record.value ?? null,
    partition: record.partition,
    // Brokers refuse times more than an hour ahead (message.timestamp.after.max.ms); ce_time has what the writer said.
    timestamp: String(Math.min(record.timeMs, nowMs)),
    headers,
  };
}

/** What a person looking through a dead-letter topic with kcat wants to see without reading values. */
function errorHeaders(value: string): IHeaders {
  const letter = JSON.parse(value) as DeadLetter;
  return {
    millrace_error: letter.error,
    millrace_topic: letter.topic,
    millrace_partition: String(letter.partition),
    millrace_offset: letter.offset,
    millrace_group: letter.group,
    millrace_attempts: String(letter.attempts),
    millrace_event_id: letter.event_id,
  };
}

/** `topic` is our name, without the prefix. A value that is no JSON is handed on as a string, for the schema to refuse. */
export function decodeMessage(topic: string, partition: number, message: KafkaMessage): StoredRecord {
  const { headers, offset } = message;
  const time = textOf(headers?.['ce_time']);
  const timeMs = time === undefined ? Number.NaN : Date.parse(time);
  return {
    topic,
    partition,
    offset: BigInt(offset),
    key: message.key?.toString() ?? '',
    // Writers that know nothing of CloudEvents: the place in the log is as good an id.
    id: textOf(headers?.['ce_id']) ?? `${topic}/${partition}/${offset}`,
    timeMs: Number.isNaN(timeMs) ? Number(message.timestamp) : timeMs,
    source: textOf(headers?.['ce_source']) ?? 'kafka',
    type: textOf(headers?.['ce_type']) ?? topic,
    value: message.value === null ? undefined : parse(message.value.toString()),
  };
}

function textOf(header: IHeaders[string]): string | undefined {
  if (Buffer.isBuffer(header)) return header.toString();
  return typeof header === 'string' ? header : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
