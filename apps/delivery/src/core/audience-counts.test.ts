import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AudienceCounts } from './audience-counts.ts';
import { SessionLimits } from './session-limits.ts';

describe('the audience of a stream', () => {
  it('is said at most once a second, and what was said last becomes true', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ waitMs: fc.nat(700), joins: fc.boolean() }), { maxLength: 200 }), (events) => {
        const counts = new AudienceCounts();
        const said: { atMs: number; viewers: number }[] = [];
        let nowMs = 0;
        let viewers = 0;
        const tick = () =>
          counts.due(nowMs).forEach((statement) => void said.push({ atMs: nowMs, viewers: statement.viewers }));
        for (const { waitMs, joins } of events) {
          nowMs += waitMs;
          if (joins || viewers > 0) {
            counts.add('str_1', joins ? 1 : -1);
            viewers += joins ? 1 : -1;
          }
          tick();
        }
        nowMs += 1_000;
        tick();
        expect(said.at(-1)?.viewers ?? 0).toBe(viewers);
        expect(said.every(({ atMs }, i) => i === 0 || atMs - said[i - 1]!.atMs >= 1_000)).toBe(true);
      }),
    );
  });

  it('of nobody is said twice, in case the first was lost, and then no more', () => {
    const counts = new AudienceCounts();
    const at = (nowMs: number) => counts.due(nowMs).map(({ viewers }) => viewers);
    counts.add('str_1', 1);
    expect([at(0), at(500), at(10_000), at(10_100)]).toEqual([[1], [], [1], []]);
    counts.add('str_1', -1);
    expect([at(11_000), at(12_000), at(21_000), at(40_000)]).toEqual([[0], [], [0], []]);
  });
});

describe('limits on sessions', () => {
  it('hold for all, a stream, an address and its rate, and what leaves makes room', () => {
    const settings = { mostSessions: 6, mostPerStream: 4, mostPerAddress: 3, startsPerSecond: 1 };
    const limits = new SessionLimits(settings);
    const enter = (stream: string, address: string, nowMs = 0) => limits.enter(stream, address, nowMs) ?? 'ok';
    expect([1, 2, 3, 4].map(() => enter('s1', 'a1'))).toEqual(['ok', 'ok', 'ok', 'address-limit']);
    expect([enter('s1', 'a2'), enter('s1', 'a2'), enter('s2', 'a2'), enter('s2', 'a2'), enter('s2', 'a3')]).toEqual([
      ...['ok', 'stream-limit', 'ok', 'ok', 'too-many'],
    ]);
    limits.leave('s1', 'a1');
    expect([enter('s1', 'a3'), limits.sessions]).toEqual(['ok', 6]);
    for (let i = 0; i < 9; i++) {
      limits.leave('s1', 'a3');
      enter('s1', 'a3');
    }
    limits.leave('s1', 'a3');
    expect([enter('s1', 'a3'), enter('s1', 'a3', 1_500)]).toEqual(['address-rate', 'ok']);
  });
});
