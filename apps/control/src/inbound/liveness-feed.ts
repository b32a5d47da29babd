import type { Clock } from '@millrace/clock';
import type { EventLog } from '@millrace/eventlog';
import { healthTopic, type InstanceSeen, instancesTopic, liveStreamsTopic } from '@millrace/events';
import type { Scope } from '@millrace/lifecycle';
import type { InstanceWatch } from '../core/instance-watch.ts';
import type { NewestHealth } from '../core/newest-health.ts';
import type { ControlMetrics } from '../metrics.ts';

export interface LivenessDeps {
  readonly eventLog: Pick<EventLog, 'follow'>;
  readonly clock: Clock;
  readonly health: NewestHealth;
  readonly watch: InstanceWatch;
  readonly self: Pick<InstanceSeen, 'instance_id' | 'incarnation'>;
  readonly metrics: ControlMetrics;
}

/** Follows signs of life, health samples and stream facts from now on; `scope` closes the followers. */
export async function followLiveness(deps: LivenessDeps, scope: Scope): Promise<void> {
  const { eventLog, clock, health, watch, self, metrics } = deps;
  const instances = await eventLog.follow({
    topic: instancesTopic,
    from: 'latest',
    onRecord: ({ value }) => {
      if (value === undefined) return;
      if (value.instance_id !== self.instance_id) watch.instanceSeen(value.instance_id);
      else if (value.incarnation === self.incarnation) watch.ownBeat(clock.monotonicMs());
    },
  });
  scope.use(instances, 'instances-follower');
  const samples = await eventLog.follow({
    topic: healthTopic,
    from: 'latest',
    onRecord: ({ value }) => {
      if (value === undefined) return;
      health.take(value, clock.monotonicMs());
      watch.streamHeard(value.stream_id);
      metrics.healthStreams.set(health.size);
    },
  });
  scope.use(samples, 'health-follower');
  const facts = await eventLog.follow({
    topic: liveStreamsTopic,
    from: 'latest',
    onRecord: ({ value }) => {
      if (value !== undefined) watch.streamHeard(value.stream_id);
    },
  });
  scope.use(facts, 'stream-facts-follower');
}
