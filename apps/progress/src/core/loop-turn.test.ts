import { ManualClock } from '@millrace/clock/testing';
import { expect, it } from 'vitest';
import { LoopTurn } from './loop-turn.ts';

it('what is read may have waited since the turn before began, and not while nothing was there to read', async () => {
  const clock = new ManualClock();
  const ends: (() => void)[] = [];
  const turn = new LoopTurn({ clock, atEnd: (done) => void ends.push(done) });
  const end = () => ends.splice(0).forEach((done) => void done());

  expect(turn.waitedMs()).toBe(0);
  await clock.advance(30);
  expect(turn.waitedMs()).toBe(30);
  await clock.advance(10);
  end();
  // the next turn follows at once: what it reads first came during the 40 ms of the one before
  await clock.advance(1);
  expect(turn.waitedMs()).toBe(40);
  await clock.advance(5);
  expect(turn.waitedMs()).toBe(45);
  end();
  await clock.advance(100);
  expect(turn.waitedMs()).toBe(0);
  end();
});
