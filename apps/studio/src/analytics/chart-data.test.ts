import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Timeseries } from './analytics-resources.ts';
import { chartColumns, lastRow, spokenSummary } from './chart-data.ts';

const answer = (series: Timeseries['series']): Timeseries => ({ from: '', to: '', interval_s: 60, series });
const clock = (s: number) => `t${s}`;

describe('the columns of a chart', () => {
  it('keep what was not measured apart from zero', () => {
    const columns = chartColumns(
      answer([
        {
          metric: 'live_latency_ms',
          points: [
            [60_000, 0],
            [120_000, null],
            [180_000, 7],
          ],
        },
        { metric: 'live_latency_p95_ms', points: [[180_000, 9]] },
      ]),
      ['live_latency_ms', 'live_latency_p95_ms'],
    );
    expect(columns).toEqual({
      times: [60, 120, 180],
      values: [
        [0, null, 7],
        [null, null, 9],
      ],
    });
  });

  it('are all as long as the times, in order, whatever was answered', () => {
    const points = fc.array(fc.tuple(fc.nat(50), fc.option(fc.nat(9))));
    fc.assert(
      fc.property(points, points, (a, b) => {
        const series = [
          { metric: 'viewers' as const, points: a },
          { metric: 'bitrate_kbps' as const, points: b },
        ];
        const { times, values } = chartColumns(answer(series), ['viewers', 'bitrate_kbps', 'views']);
        expect(values.map((column) => column.length)).toEqual([times.length, times.length, times.length]);
        expect([...times].sort((x, y) => x - y)).toEqual(times);
        expect(new Set(times).size).toBe(times.length);
      }),
    );
  });

  it('have as their last row the last in which something was measured', () => {
    expect(
      lastRow({
        times: [1, 2, 3],
        values: [
          [1, null, null],
          [null, 0, null],
        ],
      }),
    ).toBe(1);
    expect(lastRow({ times: [1], values: [[null]] })).toBeUndefined();
  });

  it('are told in words to who cannot see them', () => {
    const columns = {
      times: [1, 2, 3],
      values: [
        [3, 12, null],
        [null, null, null],
      ],
    };
    expect(spokenSummary('Viewers', ['half', '95 %'], columns, 'count', clock)).toBe(
      'Viewers: half highest 12 at t2, last 12; 95 % nothing measured.',
    );
  });
});
