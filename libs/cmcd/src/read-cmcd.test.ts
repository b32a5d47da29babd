import { CMCDHeaderValidator, CMCDQueryValidator } from '@montevideo-tech/cmcd-validator';
import { type Cmcd, encodeCmcd, toCmcdHeaders, toCmcdQuery, toCmcdValue, validateCmcdEvents } from '@svta/cml-cmcd';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CmcdDropReason } from './cmcd-report.ts';
import {
  mostReportCharacters,
  mostReportsPerBody,
  readCmcdEvents,
  readCmcdHeaders,
  readCmcdQuery,
} from './read-cmcd.ts';

function watched() {
  const drops: CmcdDropReason[] = [];
  return { drops, onDrop: (reason: CmcdDropReason) => void drops.push(reason) };
}

const ms = fc.integer({ min: 0, max: 3_600_000 });
const kbps = fc.integer({ min: 0, max: 1_000_000 });
const token = <T extends string>(...values: readonly T[]) => fc.constantFrom(...values);
const text = fc.string({ minLength: 1, maxLength: 64, unit: fc.constantFrom(...'abcXYZ019 -_"\\.,;()') });

/** Reports as a player of version 2 may send them, and what is to be read from each. */
const report = fc.record(
  {
    sta: token('s', 'p', 'k', 'r', 'a', 'w', 'e', 'f', 'q', 'd'),
    sid: text,
    msd: ms,
    bsa: fc.nat(1_000).map((n) => [n]),
    bsda: ms.map((n) => [n]),
    bsd: ms.map((n) => [n]),
    ltc: ms,
    dfa: fc.nat(100_000),
    br: kbps.map((n) => [n]),
    pb: kbps.map((n) => [n]),
    bl: ms.map((n) => [Math.round(n / 100) * 100]),
    ot: token('v', 'a', 'av', 'm', 'i'),
    sn: fc.nat(100_000),
    ec: fc.array(text, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [] },
);

describe('a CMCD event report', () => {
  it('of another encoder is read as what was meant', () => {
    fc.assert(
      fc.property(report, fc.integer({ min: 1, max: 2 ** 45 }), (given, ts) => {
        const line = encodeCmcd({ ...given, e: 't', ts, v: 2 } as unknown as Cmcd, { reportingMode: 'event' });
        const { drops, onDrop } = watched();
        const [read] = readCmcdEvents(line, onDrop);
        expect(drops).toEqual([]);
        expect(read).toMatchObject({ version: 2, atMs: ts, fields: { event: 't' } });
        const { fields } = read!;
        expect(fields).toEqual({
          event: 't',
          ...defined({
            state: given.sta,
            player_session: given.sid,
            startup_ms: given.msd,
            starved_count: given.bsa?.[0],
            starved_total_ms: given.bsda?.[0],
            starved_ms: given.bsd?.[0],
            latency_ms: given.ltc,
            dropped_frames: given.dfa,
            bitrate_kbps: given.br?.[0],
            playhead_kbps: given.pb?.[0],
            buffer_ms: given.bl?.[0],
            object_type: given.ot,
            sequence: given.sn,
            error_codes: given.ec,
          }),
        });
      }),
    );
  });

  it('that the reference validator calls valid is taken', () => {
    const body = ['e=ps,sta=s,sid="a",ts=1795293453639,v=2', 'e=t,sta=p,sid="a",msd=310,ts=1795293454639,v=2'].join(
      '\n',
    );
    expect(validateCmcdEvents(body).valid).toBe(true);
    const { drops, onDrop } = watched();
    expect(readCmcdEvents(body, onDrop).map(({ fields }) => fields.state)).toEqual(['s', 'p']);
    expect(drops).toEqual([]);
  });

  it('gives the figure of the video where there is one for each object type', () => {
    const line = encodeCmcd(
      { e: 't', ts: 1, v: 2, br: [toCmcdValue(128, { a: true }), toCmcdValue(2_500, { v: true })] } as unknown as Cmcd,
      {
        reportingMode: 'event',
      },
    );
    expect(readCmcdEvents(line, () => {})[0]?.fields.bitrate_kbps).toBe(2_500);
  });

  it.each<[CmcdDropReason, string]>([
    ['syntax', 'e=t,v=2,br=(('],
    ['oversize', `e=t,v=2,sid="${'x'.repeat(mostReportCharacters)}"`],
    ['version', 'e=t'],
    ['version', 'e=t,v=7'],
    ['event', 'v=2,sta=p'],
    ['event', 'v=2,e=nope'],
  ])('is dropped whole for %s', (reason, line) => {
    const { drops, onDrop } = watched();
    expect(readCmcdEvents(`${line}\ne=t,v=2`, onDrop)).toHaveLength(1);
    expect(drops).toContain(reason);
  });

  it('loses a value that is out of its limits, and nothing else', () => {
    const { drops, onDrop } = watched();
    const [read] = readCmcdEvents(`e=t,v=2,ltc=-4,msd=99999999999,sid="${'y'.repeat(65)}",sta=z,sn=3`, onDrop);
    expect(read?.fields).toEqual({ event: 't', sequence: 3 });
    expect(drops).toEqual(['value', 'value', 'value', 'value']);
  });

  it('is one of at most fifty', () => {
    const { drops, onDrop } = watched();
    expect(readCmcdEvents(Array(1_000).fill('e=t,v=2').join('\n'), onDrop)).toHaveLength(mostReportsPerBody);
    expect(drops).toEqual(['too-many']);
  });
});

describe('CMCD on a request', () => {
  const given = {
    br: 3200,
    bs: true,
    d: 4004,
    mtp: 25_400,
    ot: 'v',
    sid: '6e2fb550-c457-11e9-bb97-0800200c9a66',
    tb: 6000,
  } as const;
  const meant = {
    bitrate_kbps: 3200,
    starved: true,
    throughput_kbps: 25_400,
    object_type: 'v',
    player_session: given.sid,
    top_kbps: 6000,
  };

  it('of version 1 is read from the query, which a second validator calls valid', () => {
    const query = toCmcdQuery(given as unknown as Cmcd, { version: 1 });
    expect(CMCDQueryValidator(`https://example.com/a.m4s?${query}`).valid).toBe(true);
    expect(readCmcdQuery(`_HLS_msn=3&${query}`, () => {})).toEqual({ version: 1, atMs: undefined, fields: meant });
  });

  it('is read from headers, in whatever of them it stands', () => {
    const headers = toCmcdHeaders(given as unknown as Cmcd, { version: 1 });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    expect(CMCDHeaderValidator(['GET /a.m4s HTTP/1.1', ...lines, '', ''].join('\n')).valid).toBe(true);
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    expect(readCmcdHeaders(lower, () => {})?.fields).toEqual(meant);
    expect(readCmcdHeaders({ 'cmcd-object': 'foo=1' }, () => {})).toBeUndefined();
  });

  it('never throws, whatever comes, and what is read stays small', () => {
    const garbage = fc.oneof(
      fc.string({ maxLength: 300 }),
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.stringMatching(/^[a-z0-9=,;()"?:@*%.-]{0,120}$/),
    );
    fc.assert(
      fc.property(garbage, (input) => {
        const { onDrop } = watched();
        const reads = [
          readCmcdQuery(`CMCD=${input}`, onDrop),
          readCmcdQuery(`CMCD=${encodeURIComponent(Buffer.from(input).toString())}`, onDrop),
          readCmcdHeaders({ 'cmcd-request': input, 'cmcd-status': input }, onDrop),
          ...readCmcdEvents(input, onDrop),
          ...readCmcdEvents(`e=t,v=2,${input}`, onDrop),
        ];
        for (const read of reads) expect(JSON.stringify(read ?? {}).length).toBeLessThan(1_500);
      }),
      { numRuns: 150 },
    );
  });
});

function defined(fields: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
