/**
 * Ends the broadcasts of ingest instances that are gone. Of several control instances the one that holds an advisory lock
 * does it; the others watch too, so that they can take over at once.
 */
import { type Clock, sleep } from '@millrace/clock';
import { type EventLog, record } from '@millrace/eventlog';
import { type InstanceSeen, instancesTopic, liveStreamsTopic } from '@millrace/events';
import type { Logger } from '@millrace/log';
import type { InstanceWatch, RunningStream } from '../core/instance-watch.ts';
import type { WatchSeat } from '../core/watch-seat.ts';
import type { ControlMetrics } from '../metrics.ts';

export interface InstanceWatcherDeps {
  readonly eventLog: Pick<EventLog, 'publish'>;
  readonly seat: WatchSeat;
  readonly watch: InstanceWatch;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: ControlMetrics;
  /** Our own sign of life. */
  readonly self: Pick<InstanceSeen, 'instance_id' | 'incarnation'>;
  /** Told after each round whether the database and the log answered. */
  readonly onRound: (reachable: boolean) => void;
}

const beatPeriodMs = 2_000;
const maxRunning = 10_000;

/** One round: says that we live, and ends what is lost. */
export async function watchOnce(deps: InstanceWatcherDeps, ended: Map<string, number>): Promise<void> {
  const { clock } = deps;
  const seen: InstanceSeen = { ...deps.self, service: 'control', at_ms: clock.nowMs() };
  await deps.eventLog.publish([record(instancesTopic, seen)]);
  const running = await deps.seat.running(maxRunning);
  if (running === undefined) return;
  const byId = new Map(running.map((state) => [state.streamId, state]));
  for (const [streamId, epoch] of ended) if (byId.get(streamId)?.epoch !== epoch) ended.delete(streamId);
  const watched = running.flatMap((state): RunningStream[] =>
    state.state === 'idle' ? [] : [{ ...state, state: state.state }],
  );
  const lost = deps.watch.lost(watched).filter((stream) => ended.get(stream.streamId) !== stream.epoch);
  for (const { streamId, epoch, instanceId } of lost) {
    const state = byId.get(streamId);
    if (state === undefined) continue;
    await deps.eventLog.publish([
      record(liveStreamsTopic, {
        type: 'StreamEnded',
        reason: 'instance-lost',
        stream_id: streamId,
        owner_id: state.ownerId,
        epoch,
        publish_id: state.publishId,
        instance_id: instanceId,
        at_ms: clock.nowMs(),
      }),
    ]);
    ended.set(streamId, epoch); // until its fact has come round, so that it is said once
    deps.metrics.lostStreams.inc();
    deps.log.warn('broadcast-lost', { stream_id: streamId, epoch, instance_id: instanceId });
  }
}

/** Runs rounds until `signal` aborts; a failed one is logged and tried again. */
export async function runInstanceWatcher(deps: InstanceWatcherDeps, signal: AbortSignal): Promise<void> {
  const ended = new Map<string, number>();
  while (!signal.aborted) {
    try {
      await watchOnce(deps, ended);
      deps.onRound(true);
    } catch (error) {
      if (signal.aborted) return;
      deps.onRound(false);
      deps.metrics.loopFailures.inc({ loop: 'instance-watch' });
      deps.log.warn('instance-watch-failed', { error });
    }
    await sleep(deps.clock, beatPeriodMs, signal);
  }
}
