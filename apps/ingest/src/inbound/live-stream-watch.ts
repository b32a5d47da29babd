/** Reads what other ingests publish, so that of two with the same stream the one with the higher epoch goes on. */
import { type Clock, sleep } from '@millrace/clock';
import type { EventLog, Follower } from '@millrace/eventlog';
import { type LiveStreamFact, liveStreamsTopic } from '@millrace/events';
import { type Epoch, parseEpoch, parseId, type StreamId } from '@millrace/ids';
import type { Logger } from '@millrace/log';

export interface LiveStreamWatchOptions {
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly log: Logger;
  readonly instanceId: string;
  /** An epoch of another ingest; `publishes`: it took the stream over with it. */
  readonly onEpoch: (streamId: StreamId, epoch: Epoch, publishes: boolean) => void;
}

const retryMs = 2_000;

/** Follows `live.streams.v1` from now on. Does not wait for the log: going live must not need it. */
export function watchLiveStreams(options: LiveStreamWatchOptions): AsyncDisposable {
  const stop = new AbortController();
  let follower: Follower | undefined;
  const open = async () => {
    while (!stop.signal.aborted) {
      try {
        const opened = await options.eventLog.follow({
          topic: liveStreamsTopic,
          from: 'latest',
          onRecord: ({ value }) => {
            if (value !== undefined) tell(options, value);
          },
        });
        if (stop.signal.aborted) return await opened[Symbol.asyncDispose]();
        follower = opened;
        return;
      } catch (error) {
        if (stop.signal.aborted) return;
        options.log.warn('live-streams-not-followed', { error });
        await sleep(options.clock, retryMs, stop.signal);
      }
    }
  };
  // Not awaited at the close either: it returns when the log answers, and the log's own close ends a wait for it.
  void open();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await follower?.[Symbol.asyncDispose]();
    },
  };
}

function tell(options: LiveStreamWatchOptions, fact: LiveStreamFact): void {
  if (fact.instance_id === options.instanceId) return;
  const streamId = parseId('str', fact.stream_id);
  const epoch = parseEpoch(fact.epoch);
  if (!streamId.ok || !epoch.ok) return;
  options.onEpoch(streamId.value, epoch.value, fact.type === 'StreamPublished' || fact.type === 'StreamResumed');
}
