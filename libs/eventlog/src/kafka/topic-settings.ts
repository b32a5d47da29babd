/** What a topic is at the brokers: partitions, retention and compaction follow from its declaration. */
import { dayMs, hourMs, type Topic } from '@millrace/events';

/** What of a topic the brokers are told; the outbox keeps as much of it. */
export type TopicShape = Pick<Topic, 'name' | 'kind' | 'partitions' | 'retentionMs'>;

export interface TopicSettings {
  readonly name: string;
  readonly partitions: number;
  readonly config: Readonly<Record<string, string>>;
}

/** A value has at most 900,000 characters, each at most 3 bytes, and a batch of one partition at most a million. */
const maxMessageBytes = 4_000_000;

export function topicSettings(topic: TopicShape): TopicSettings {
  const { name, partitions } = topic;
  const config = {
    'max.message.bytes': String(maxMessageBytes),
    'message.timestamp.type': 'CreateTime',
    // Whole segments are dropped or compacted: several in the time that is kept, so that it is kept to.
    'segment.ms': String(segmentMs(topic)),
  };
  const retention = Number.isFinite(topic.retentionMs) ? String(Math.round(topic.retentionMs)) : '-1';
  if (topic.kind !== 'state')
    return { name, partitions, config: { ...config, 'cleanup.policy': 'delete', 'retention.ms': retention } };
  return {
    name,
    partitions,
    config: {
      ...config,
      'cleanup.policy': retention === '-1' ? 'compact' : 'compact,delete',
      'retention.ms': retention,
      // Readers that lag see every change for an hour; tombstones stay for a day.
      'min.compaction.lag.ms': String(hourMs),
      'delete.retention.ms': String(dayMs),
      'min.cleanable.dirty.ratio': '0.2',
    },
  };
}

function segmentMs(topic: TopicShape): number {
  if (topic.kind === 'state') return hourMs;
  return Math.max(10 * 60_000, Math.min(dayMs, Math.round(topic.retentionMs / 4)));
}
