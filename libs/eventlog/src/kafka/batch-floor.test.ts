import type { KafkaMessage } from 'kafkajs';
import { expect, it } from 'vitest';
import { recordsFrom } from './batch-floor.ts';

const messages = [3, 4, 5].map((n) => ({ offset: String(n) }) as KafkaMessage);
const from = (position: bigint, highWatermark: string) => {
  let shorter = false;
  const kept = recordsFrom({ messages, highWatermark }, position, () => {
    shorter = true;
  });
  return { kept: kept.map(({ offset }) => Number(offset)), shorter };
};

it('what lies before the commit is not handed over again when kafkajs goes back to the beginning', () => {
  expect(from(3n, '6')).toEqual({ kept: [3, 4, 5], shorter: false });
  expect(from(5n, '6')).toEqual({ kept: [5], shorter: false });
  expect(from(6n, '6')).toEqual({ kept: [], shorter: false });
});

it('a log that ends before the commit is another one, and is read whole', () => {
  expect(from(100n, '6')).toEqual({ kept: [3, 4, 5], shorter: true });
});
