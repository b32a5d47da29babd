/** Kafka brokers that die for minutes on end, alone and all at once, under a log that is read and written. */
import { openKafkaEventLog } from '@millrace/eventlog';
import { silentLogger } from '@millrace/log';
import { startKafka } from '../kafka/kafka.ts';
import { rideThrough } from '../kafka/ride-through.ts';
import { seededRandom } from './mutation.ts';

/** Returns what went wrong, one line each. */
export async function brokersDying(plan: {
  readonly durationMs: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}): Promise<readonly string[]> {
  const random = seededRandom(plan.seed);
  await using kafka = await startKafka({ brokers: 3 });
  const access = { brokers: kafka.bootstrap, topicPrefix: '', replication: 3 };
  const groups = { sessionTimeoutMs: 3_000, heartbeatMs: 300 };
  await using log = await openKafkaEventLog({ access, source: 'soak', log: silentLogger, groups });
  const result = await rideThrough(log, async ({ goesOn }) => {
    const endAt = performance.now() + plan.durationMs;
    for (let round = 1; performance.now() < endAt; round++) {
      await goesOn(`before round ${round}`);
      // Every fourth time nobody is left for a moment.
      const victims = round % 4 === 0 ? [0, 1, 2] : [Math.floor(random() * 3)];
      plan.say(`kafka: round ${round}, killing ${victims.map((index) => index + 1).join(', ')}`);
      await Promise.all(victims.map((index) => kafka.broker(index).kill()));
      if (victims.length === 1) await goesOn('with one broker killed');
      await Promise.all(victims.map((index) => kafka.broker(index).start()));
    }
    await goesOn('at the end');
  });
  plan.say(`kafka: ${result.acknowledged} acknowledged a key, ${result.duplicates} duplicates absorbed`);
  return result.wrong;
}
