import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveEdgeController } from './controller.ts';
import { SimulatedPlayer, type SimulationOptions } from './simulated-player.ts';

const usual: SimulationOptions = { partS: 0.2, targetLatencyS: 0.6, startDelayS: 0 };

function following(options: Partial<SimulationOptions> = {}) {
  const player = new SimulatedPlayer({ ...usual, ...options });
  const controller = new LiveEdgeController(player, player);
  controller.start();
  return { player, controller };
}

describe('a player with the controller', () => {
  it('wins any start-up delay back within 30 s, without a stall and with at most one seek', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 8, noNaN: true }),
        fc.constantFrom(0.2, 0.216, 0.333),
        fc.infiniteStream(fc.double({ min: 0, max: 0.03, noNaN: true })),
        (startDelayS, partS, jitter) => {
          const delays: number[] = [];
          const partDelayS = (index: number) => (delays[index] ??= jitter.next().value as number);
          const { player } = following({ startDelayS, partS, targetLatencyS: partS * 3, partDelayS });
          player.run(30);
          player.run(5, () => expect(Math.abs(player.errorS)).toBeLessThan(0.12));
          expect(player.stalledMs).toBe(0);
          expect(player.seeks.length).toBeLessThanOrEqual(1);
          for (const rate of player.rates) expect(rate >= 0.97 && rate <= 1.1).toBe(true);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('loses a start-up delay that is buffered already within a second', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 2, noNaN: true }), (startDelayS) => {
        const { player } = following({ startDelayS });
        player.run(1);
        expect(player.errorS).toBeLessThan(0.2);
        player.run(10);
        expect([player.seeks.length, player.stalledMs]).toEqual([1, 0]);
      }),
      { numRuns: 20 },
    );
  });

  it('does not seek in a loop when seeking does not help', () => {
    const { player } = following({ startDelayS: 5 });
    const seek = player.seek.bind(player);
    player.seek = (toS) => {
      const before = player.currentTimeS;
      seek(toS);
      player.currentTimeS = before;
    };
    player.run(120);
    // 3, 6, 12, 24, 48 s apart.
    expect(player.seeks.length).toBeGreaterThan(1);
    expect(player.seeks.length).toBeLessThanOrEqual(6);
  });

  it('does not seek at all while the origin is silent, and catches up when it is back', () => {
    const { player } = following();
    player.run(2);
    player.originSilent = true;
    player.run(20);
    expect(player.seeks).toEqual([]);
    player.originSilent = false;
    player.run(10);
    player.run(5, () => expect(Math.abs(player.errorS)).toBeLessThan(0.1));
    // The backlog arrives in a burst: one seek into it, one more when all of it is there.
    expect(player.seeks.length).toBeLessThanOrEqual(2);
  });

  it('leaves a paused player alone, and returns it to live when it plays again', () => {
    const { player } = following();
    player.run(2);
    player.paused = true;
    player.run(10);
    expect(player.seeks).toEqual([]);
    expect(player.rate).toBe(1);
    player.paused = false;
    player.run(1);
    expect(player.seeks).toHaveLength(1);
    expect(player.errorS).toBeLessThan(0.3);
  });

  it('leaves an ended player alone', () => {
    const { player } = following({ startDelayS: 5 });
    player.ended = true;
    player.run(5);
    expect(player.seeks).toEqual([]);
    expect(player.rate).toBe(1);
  });

  it('does not pull back a viewer who went back in time, until they return to the edge', () => {
    const { player, controller } = following();
    player.run(3);
    player.jump(player.currentTimeS - 20);
    player.run(10);
    expect(controller.mode).toBe('behind');
    expect(player.seeks).toEqual([]);
    expect(player.rate).toBe(1);
    expect(player.errorS).toBeGreaterThan(19);
    player.jump(player.currentTimeS + player.errorS + 0.1);
    player.run(5);
    expect(controller.mode).toBe('following');
    expect(Math.abs(player.errorS)).toBeLessThan(0.12);
  });

  it('goes to the live edge at once when asked', () => {
    const { player, controller } = following();
    player.run(1);
    controller.leaveLive();
    player.jump(player.currentTimeS - 20);
    player.run(1);
    controller.goLive();
    expect(controller.mode).toBe('following');
    player.run(2);
    expect(Math.abs(player.errorS)).toBeLessThan(0.4);
    expect(player.seeks).toHaveLength(1);
  });

  it('gives the normal rate back when held and when closed', () => {
    const { player, controller } = following({ startDelayS: 1 });
    player.run(1);
    expect(player.rate).toBeGreaterThan(1);
    controller.hold(true);
    expect(player.rate).toBe(1);
    player.run(1);
    expect(player.rate).toBe(1);
    controller.hold(false);
    player.run(1);
    expect(player.rate).toBeGreaterThan(1);
    controller.close();
    controller.close();
    expect(player.rate).toBe(1);
    expect(player.timers).toBe(0);
  });

  it('waits quietly until latency is known', () => {
    const { player } = following({ startDelayS: 5 });
    player.targetLatencyS = undefined;
    player.run(2);
    expect(player.rates).toEqual([]);
    expect(player.seeks).toEqual([]);
  });
});
