/** Reads the topics the hub shows, from their beginning, into the boards. */
import type { Clock } from '@millrace/clock';
import type { EventLog, LogRecord } from '@millrace/eventlog';
import {
  audienceTopic,
  healthTopic,
  instancesTopic,
  jobsTopic,
  liveStreamsTopic,
  streamsTopic,
  type Topic,
} from '@millrace/events';
import type { Scope } from '@millrace/lifecycle';
import { type Boards, streamTopics } from '../core/boards.ts';
import type { HubMetrics } from '../metrics.ts';

export interface LogFeedDeps {
  readonly eventLog: Pick<EventLog, 'follow'>;
  readonly boards: Boards;
  readonly clock: Clock;
  readonly metrics: HubMetrics;
}

/** What of the log has not been read yet, by what it is called in `/readyz`. */
export class ReadingProgress {
  readonly #behind = new Set<string>();

  begin(what: string): void {
    this.#behind.add(what);
  }

  done(what: string): void {
    this.#behind.delete(what);
  }

  get behind(): readonly string[] {
    return [...this.#behind];
  }
}

/** Instances say every 2 s that they live: counts are whole once one such turn was heard. */
const audienceSettlesMs = 2_500;

/** Starts reading; `scope` closes the readers. */
export async function followLog(deps: LogFeedDeps, scope: Scope): Promise<ReadingProgress> {
  const { eventLog, boards, clock, metrics } = deps;
  const { streams, jobs, audience, health } = boards;
  const progress = new ReadingProgress();
  const live = new Set<string>();

  const follow = async <T>(
    topic: Topic<T>,
    from: 'earliest' | 'latest',
    onRecord: (record: LogRecord<T>) => void,
    onCaughtUp: () => void,
  ): Promise<void> => {
    progress.begin(topic.name);
    const counter = metrics.records.labels({ topic: topic.name });
    const follower = await eventLog.follow<T>({
      topic,
      from,
      onRecord: (record) => {
        counter.inc();
        onRecord(record);
      },
    });
    scope.use(follower, topic.name);
    follower.caughtUp.then(
      () => {
        onCaughtUp();
        live.add(topic.name);
        progress.done(topic.name);
      },
      () => {}, // it was closed before
    );
  };

  await follow(
    streamsTopic,
    'earliest',
    ({ key, value, partition, offset }) => boards.defined(key, value, { partition, offset }),
    () => streams.caughtUp(streamTopics.definitions, true),
  );
  await follow(
    liveStreamsTopic,
    'earliest',
    ({ value, partition, offset }) => value && boards.broadcast(value, { partition, offset }),
    () => streams.caughtUp(streamTopics.facts, false),
  );
  await follow(
    jobsTopic,
    'earliest',
    ({ value, partition, offset }) => value && boards.job(value, { partition, offset }),
    () => jobs.caughtUp(0, false),
  );
  await follow(
    audienceTopic,
    'earliest',
    ({ key, value }) => {
      const cut = key.lastIndexOf('/');
      if (value !== undefined) audience.counted(value, live.has(audienceTopic.name));
      else if (cut > 0) audience.uncounted(key.slice(0, cut), key.slice(cut + 1));
    },
    () => {},
  );
  const settling = 'a turn of signs of life';
  progress.begin(settling);
  // Read to its end while a later topic cannot be followed, and this is closed for it, is no reason to crash.
  let settles: { cancel(): void } | undefined;
  scope.defer('audience settling', () => settles?.cancel());
  await follow(
    instancesTopic,
    'earliest',
    ({ key, value }) => {
      if (value === undefined) audience.instanceRemoved(key);
      else audience.instanceSeen(value, clock.monotonicMs(), live.has(instancesTopic.name));
    },
    () => {
      settles = clock.after(audienceSettlesMs, () => progress.done(settling));
    },
  );
  await follow(
    healthTopic,
    'latest',
    ({ value }) => value && health.take(value, clock.monotonicMs()),
    () => {},
  );
  return progress;
}
