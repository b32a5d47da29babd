import type { Clock } from '@millrace/clock';
import type { EventLog } from '@millrace/eventlog';
import { audienceTopic, healthTopic, instancesTopic, liveStreamsTopic } from '@millrace/events';
import type { Scope } from '@millrace/lifecycle';
import type { LiveBoard } from '../core/live-board.ts';

export interface LiveFeed {
  /** Resolves once the board has seen what was in the log when this began. */
  readonly ready: Promise<void>;
  isReady(): boolean;
}

/** Feeds the board from the log; `scope` closes the followers. */
export async function feedLiveBoard(
  deps: { readonly eventLog: EventLog; readonly clock: Clock; readonly board: LiveBoard },
  scope: Scope,
): Promise<LiveFeed> {
  const { eventLog, clock, board } = deps;
  let seenAll = false;
  // what stood in the log before us was said some time ago: an instance long dead must not look alive for 6 s
  const instances = scope.use(
    await eventLog.follow({
      topic: instancesTopic,
      from: 'earliest',
      onRecord: ({ value }) => {
        if (value === undefined) return;
        board.instanceSeen(value, clock.monotonicMs(), seenAll ? 0 : Math.max(0, clock.nowMs() - value.at_ms));
      },
    }),
    'instances-follower',
  );
  void instances.caughtUp.then(
    () => (seenAll = true),
    () => {}, // rejects when the service closes first
  );
  const streams = scope.use(
    await eventLog.follow({
      topic: liveStreamsTopic,
      from: 'earliest',
      onRecord: ({ value, offset }) => value !== undefined && board.streamTold(value, offset),
    }),
    'streams-follower',
  );
  const audience = scope.use(
    await eventLog.follow({
      topic: audienceTopic,
      from: 'earliest',
      onRecord: ({ key, value }) => board.counted(key, value, clock.monotonicMs()),
    }),
    'audience-follower',
  );
  scope.use(
    await eventLog.follow({
      topic: healthTopic,
      from: 'latest',
      onRecord: ({ value }) => value !== undefined && board.healthTold(value, clock.monotonicMs()),
    }),
    'health-follower',
  );
  let ready = false;
  const all = Promise.all([instances.caughtUp, streams.caughtUp, audience.caughtUp]).then(() => void (ready = true));
  all.catch(() => {});
  return { ready: all, isReady: () => ready };
}
