import { expect, it, vi } from 'vitest';
import { TestPlant } from '../src/testing.ts';
import { Storm } from './storm-clients.ts';

const count = 400;
const until = (claim: () => void) => vi.waitFor(claim, { timeout: 20_000, interval: 20 });

it(`${count} clients that are sent from one instance to another and back miss nothing and get nothing twice`, async () => {
  await using plant = new TestPlant();
  let version = 1;
  const publish = () => plant.define('str_a', { title: `${version}` });
  await publish();
  await plant.broadcast('str_a', 'StreamPublished');
  const settings = { HUB_DRAIN_SPREAD_MS: '300', HUB_MAX_HANDSHAKES_PER_S: '2000' };
  const open = (instanceId: string) => plant.openHub({ instanceId, settings });
  let hubs = [await open('hub-1'), await open('hub-2')];
  using storm = new Storm({ count, streamId: 'str_a', urls: () => hubs.map(({ url }) => url) });
  await until(() => expect(storm.tally.at(1)).toBe(count));
  const publishing = setInterval(() => {
    version++;
    void publish();
  }, 150);
  try {
    for (const name of ['hub-3', 'hub-4']) {
      const [leaving, staying] = hubs;
      if (leaving === undefined || staying === undefined) throw new Error('expected two hubs');
      hubs = [staying];
      await leaving[Symbol.asyncDispose]();
      await until(() => expect(storm.tally.open).toBe(count));
      hubs = [staying, await open(name)];
    }
  } finally {
    clearInterval(publishing);
  }
  await until(() => expect(storm.tally.at(version)).toBe(count));
  const { gaps, duplicates, firstSnapshots, connections } = storm.tally;
  expect({ gaps, duplicates, firstSnapshots }).toEqual({ gaps: 0, duplicates: 0, firstSnapshots: count });
  expect(connections).toBeGreaterThanOrEqual(2 * count);
});
