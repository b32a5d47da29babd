import { ManualClock } from '@millrace/clock/testing';
import { describe, expect, it } from 'vitest';
import { ReadCoalescer, type Restable } from './read-coalescer.ts';

function open(above: number) {
  const clock = new ManualClock();
  let rests = 0;
  const coalescer = new ReadCoalescer({ clock, aboveReadsPerSecond: above, tickMs: 20, onRest: () => rests++ });
  const socket = () => {
    const state = { resting: false };
    const restable: Restable = { rest: () => (state.resting = true), wake: () => (state.resting = false) };
    return Object.assign(restable, { state });
  };
  return { clock, coalescer, socket, rests: () => rests };
}

describe('coalesced reads', () => {
  it('let a few publishers be read as they come', async () => {
    const { clock, coalescer, socket, rests } = open(1_000);
    const one = socket();
    for (let ms = 0; ms < 2_000; ms += 10) {
      coalescer.read(one);
      await clock.advance(10);
    }
    expect(rests()).toBe(0);
  });

  it('above the rate rest every socket until one shared tick', async () => {
    const { clock, coalescer, socket } = open(1_000);
    const many = Array.from({ length: 30 }, socket);
    for (let ms = 0; ms < 600; ms += 10) {
      for (const one of many) if (!one.state.resting) coalescer.read(one);
      await clock.advance(10);
    }
    expect(coalescer.on).toBe(true);
    for (const one of many) if (!one.state.resting) coalescer.read(one);
    expect(many.every((one) => one.state.resting)).toBe(true);
    await clock.advance(20);
    expect(many.some((one) => one.state.resting)).toBe(false);
  });

  it('end when few publishers are left, and leave nobody resting at the close', async () => {
    const { clock, coalescer, socket } = open(1_000);
    const many = Array.from({ length: 30 }, socket);
    for (let i = 0; i < 30; i++) for (const one of many) coalescer.read(one);
    await clock.advance(500);
    expect(coalescer.on).toBe(true);
    coalescer.read(many[0]!);
    await clock.advance(500);
    expect(coalescer.on).toBe(false);
    for (let i = 0; i < 30; i++) for (const one of many) coalescer.read(one);
    await clock.advance(500);
    coalescer.read(many[1]!);
    coalescer[Symbol.dispose]();
    expect(many.some((one) => one.state.resting)).toBe(false);
    expect(clock.pending).toBe(0);
  });
});
