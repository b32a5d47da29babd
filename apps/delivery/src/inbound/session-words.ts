/** What other deliveries say: of sessions, and that they are alive. Of broadcasts: that they have ended or begun. */
import type { Clock } from '@millrace/clock';
import type { EventLog, Table } from '@millrace/eventlog';
import { type InstanceSeen, instancesTopic, liveStreamsTopic, viewerSessionsTopic } from '@millrace/events';
import { Scope } from '@millrace/lifecycle';
import type { PeerInstances } from '../core/peer-instances.ts';
import type { ViewerSessions } from '../core/viewer-sessions.ts';

export interface SessionWordsDeps {
  readonly eventLog: EventLog;
  readonly instanceId: string;
  readonly peers: PeerInstances;
  readonly sessions: ViewerSessions;
  readonly clock: Clock;
  readonly onStream: (streamId: string, state: 'ended' | 'on') => void;
}

/** Follows the log until it is closed. */
export async function followSessionWords(deps: SessionWordsDeps): Promise<AsyncDisposable> {
  const { eventLog, instanceId, peers, sessions, clock } = deps;
  const scope = new Scope();
  const instances: Table<InstanceSeen> = scope.use(eventLog.table(instancesTopic), 'instances');
  const startedMs = clock.monotonicMs();
  const seen = (value: InstanceSeen) => {
    const { instance_id, incarnation, service } = value;
    const nowMs = clock.monotonicMs();
    // What the table held at the start was said before it: its own time tells how long ago.
    const agoMs = instances.isReady ? 0 : Math.max(0, clock.nowMs() - value.at_ms);
    const atMs = Math.max(nowMs - agoMs, startedMs - 24 * 3_600_000);
    if (peers.seen(instance_id, incarnation, service === 'delivery', atMs)) sessions.restarted(instance_id, nowMs);
  };
  for (const [, value] of instances.entries()) seen(value);
  scope.defer(
    'instances listener',
    instances.onChange((_key, value) => {
      if (value !== undefined) seen(value);
    }),
  );
  scope.use(
    await eventLog.follow({
      topic: viewerSessionsTopic,
      from: 'latest',
      onRecord: ({ value }) => {
        if (value === undefined) return;
        const { session_id: sessionId, instance_id: saidBy } = value;
        const nowMs = clock.monotonicMs();
        if (saidBy !== instanceId) {
          const kind = value.type === 'ViewerJoined' ? 'joined' : value.reason;
          sessions.word({ sessionId, instanceId: saidBy, kind }, nowMs);
        } else if (value.type === 'ViewerJoined') sessions.ownJoinSeen(sessionId, nowMs);
        else sessions.ownLeaveSeen(sessionId, value.reason, nowMs);
      },
    }),
    'viewer sessions',
  );
  scope.use(
    await eventLog.follow({
      topic: liveStreamsTopic,
      from: 'latest',
      onRecord: ({ value }) => {
        if (value === undefined || (value.type === 'StreamEnded' && value.reason === 'superseded')) return;
        deps.onStream(value.stream_id, value.type === 'StreamEnded' ? 'ended' : 'on');
      },
    }),
    'broadcasts',
  );
  return scope;
}
