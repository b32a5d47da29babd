import type { Batch, KafkaMessage } from 'kafkajs';

/**
 * The messages of a batch from `position` on. kafkajs reads a partition from its beginning when it meets a broker that does not
 * know the group's offsets for a moment (kafkajs#1414). We know how far the group is: what lies before that is not handed over
 * again, unless the log itself is shorter than that, so that it must be another one; then `onShorter` is told.
 */
export function recordsFrom(
  batch: Pick<Batch, 'messages' | 'highWatermark'>,
  position: bigint,
  onShorter: () => void,
): readonly KafkaMessage[] {
  const first = batch.messages[0];
  if (first === undefined || BigInt(first.offset) >= position) return batch.messages;
  if (BigInt(batch.highWatermark) < position) {
    onShorter();
    return batch.messages;
  }
  return batch.messages.filter(({ offset }) => BigInt(offset) >= position);
}
