import type { Clock, Timer } from '@millrace/clock';
import type { EventLog, Follower } from '@millrace/eventlog';
import { type LiveStreamFact, liveStreamsTopic } from '@millrace/events';
import { type Epoch, parseEpoch, parseId, type StreamId } from '@millrace/ids';
import type { Logger } from '@millrace/log';

export interface StreamEndsOptions {
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onEnd: (streamId: StreamId, epoch: Epoch) => void;
}

/** The writer ends its window by itself; the fact may be faster than its last parts, so they get this long to come. */
const graceMs = 2_000;
/** Ends that wait for their grace; beyond it they are carried out at once. */
const mostPending = 1_000;

/**
 * Follows the life of broadcasts, for the ends that no writer tells us of: it died, or its ingest did. `superseded` is none:
 * a newer publish of the same stream goes on in the same window.
 */
export async function followStreamEnds(options: StreamEndsOptions): Promise<AsyncDisposable> {
  const { eventLog, clock, log, onEnd } = options;
  const pending = new Set<Timer>();
  const onFact = (fact: LiveStreamFact | undefined): void => {
    if (fact?.type !== 'StreamEnded' || fact.reason === 'superseded') return;
    const streamId = parseId('str', fact.stream_id);
    const epoch = parseEpoch(fact.epoch);
    if (!streamId.ok || !epoch.ok) {
      return log.warn('stream-end-ignored', { stream_id: fact.stream_id.slice(0, 40), epoch: fact.epoch });
    }
    const end = () => onEnd(streamId.value, epoch.value);
    if (pending.size >= mostPending) return end();
    const timer = clock.after(graceMs, () => {
      pending.delete(timer);
      end();
    });
    pending.add(timer);
  };
  const follower: Follower = await eventLog.follow({
    topic: liveStreamsTopic,
    from: 'latest',
    onRecord: (record) => onFact(record.value),
  });
  return {
    async [Symbol.asyncDispose]() {
      for (const timer of pending) timer.cancel();
      await follower[Symbol.asyncDispose]();
    },
  };
}
