/**
 * Several records as one text: `[key,id,time_ms,source,type,value]` each, the value left out for a tombstone, joined by
 * commas. The appender can thus join batches without parsing them.
 */
import type { EncodedRecord, StoredRecord } from '../record-codec.ts';

export interface EncodedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly count: number;
  /** Newest record time, ms: what retention goes by. */
  readonly newestMs: number;
  readonly records: string;
}

/** Most records and characters in one batch, so that rows stay small enough to read a few dozen at once. */
const maxBatchRecords = 500;
const maxBatchLength = 256_000;

/** Groups records into batches by topic and partition, order kept within each. */
export function encodeBatches(records: readonly EncodedRecord[]): EncodedBatch[] {
  const open = new Map<
    string,
    { topic: string; partition: number; texts: string[]; length: number; newestMs: number }
  >();
  const batches: EncodedBatch[] = [];
  const close = (id: string) => {
    const batch = open.get(id);
    if (batch === undefined) return;
    open.delete(id);
    const { topic, partition, texts, newestMs } = batch;
    batches.push({ topic, partition, count: texts.length, newestMs, records: texts.join(',') });
  };
  for (const record of records) {
    const id = `${record.topic}/${record.partition}`;
    const text = encodeOne(record);
    const current = open.get(id);
    if (current && (current.texts.length >= maxBatchRecords || current.length + text.length > maxBatchLength))
      close(id);
    const batch = open.get(id);
    if (batch === undefined) {
      open.set(id, { ...record, texts: [text], length: text.length, newestMs: record.timeMs });
    } else {
      batch.texts.push(text);
      batch.length += text.length;
      batch.newestMs = Math.max(batch.newestMs, record.timeMs);
    }
  }
  for (const id of [...open.keys()]) close(id);
  return batches;
}

/** Decodes a batch whose first record has `baseOffset`. Throws on a text this codec did not write. */
export function decodeBatch(topic: string, partition: number, baseOffset: bigint, records: string): StoredRecord[] {
  const rows = JSON.parse(`[${records}]`) as [string, string, number, string, string, unknown?][];
  return rows.map((row, index) => {
    const [key, id, timeMs, source, type] = row;
    return { topic, partition, offset: baseOffset + BigInt(index), key, id, timeMs, source, type, value: row[5] };
  });
}

/** One record of a batch as it stands in `last_values`. */
export function encodeStored({ key, id, timeMs, source, type, value }: StoredRecord): string {
  return encodeOne({ key, id, timeMs, source, type, value: value === undefined ? undefined : JSON.stringify(value) });
}

function encodeOne(record: Pick<EncodedRecord, 'key' | 'id' | 'timeMs' | 'source' | 'type' | 'value'>): string {
  const { key, id, timeMs, source, type, value } = record;
  const head = JSON.stringify([key, id, timeMs, source, type]);
  return value === undefined ? head : `${head.slice(0, -1)},${value}]`;
}
