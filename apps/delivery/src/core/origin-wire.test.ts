import type { Epoch, StreamId } from '@millrace/ids';
import { newId } from '@millrace/ids';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeAbsence,
  decodeFacts,
  encodeFacts,
  type OriginTarget,
  originPath,
  originPathOf,
  parseOriginPath,
  type StreamFacts,
} from './origin-wire.ts';

const streamId: StreamId = newId('str');
const rendition = fc.constantFrom('video', 'audio', 'video-360p', 's');
const number = fc.integer({ min: 0, max: 999_999 });
const windowId = fc.stringMatching(/^[a-z0-9]{6,24}$/);
const file = fc.oneof(
  fc.record({ kind: fc.constant('init' as const), windowId, init: number }),
  fc.record({ kind: fc.constant('segment' as const), windowId, segment: number }),
  fc.record({ kind: fc.constant('part' as const), windowId, segment: number, part: number }),
);
const target: fc.Arbitrary<OriginTarget> = fc.oneof(
  fc.constant({ kind: 'facts' as const, streamId }),
  fc.record({ kind: fc.constant('playlist' as const), streamId: fc.constant(streamId), rendition }),
  fc.record({ kind: fc.constant('media' as const), streamId: fc.constant(streamId), rendition, file }),
);

const optional = fc.option(fc.integer({ min: 1, max: 8_000 }), { nil: undefined });
const facts: fc.Arbitrary<StreamFacts> = fc.record({
  epoch: fc.integer({ min: 1, max: 2 ** 50 }).map((value) => value as Epoch),
  ended: fc.boolean(),
  targetDurationS: fc.integer({ min: 1, max: 30 }),
  multivariant: fc.record({
    independentSegments: fc.boolean(),
    variants: fc.array(
      fc.record({
        uri: rendition,
        bandwidthBps: fc.integer({ min: 1, max: 1e8 }),
        averageBandwidthBps: fc.integer({ min: 1, max: 1e8 }),
        codecs: fc.array(fc.constantFrom('avc1.64001f', 'mp4a.40.2'), { maxLength: 3 }),
        width: optional,
        height: optional,
        frameRate: optional,
        audioGroup: fc.option(fc.constant('audio'), { nil: undefined }),
      }),
      { maxLength: 5 },
    ),
    audio: fc.array(
      fc.record({
        group: fc.constant('audio'),
        name: fc.constant('audio'),
        uri: rendition,
        channels: optional,
        isDefault: fc.boolean(),
      }),
      { maxLength: 3 },
    ),
  }),
});

describe('the wire between edge and origin', () => {
  it('reads every path that it writes', () => {
    fc.assert(fc.property(target, (asked) => void expect(parseOriginPath(originPathOf(asked))).toEqual(asked)));
  });

  it('names nothing by any other path', () => {
    fc.assert(
      fc.property(fc.string(), (tail) => {
        const parsed = parseOriginPath(`${originPath}/${tail}`);
        if (parsed !== undefined) expect(originPathOf(parsed)).toBe(`${originPath}/${tail}`);
      }),
    );
  });

  it('puts the directives in the order in which caches want them', () => {
    const query = { msn: 7, part: 2, skip: true };
    expect(originPathOf({ kind: 'playlist', streamId, rendition: 'video' }, query)).toBe(
      `${originPath}/${streamId}/video/index.m3u8?_HLS_msn=7&_HLS_part=2&_HLS_skip=YES`,
    );
  });

  it('carries the facts of a stream unchanged', () => {
    fc.assert(fc.property(facts, (value) => void expect(decodeFacts(encodeFacts(value))).toEqual(value)));
  });

  it('takes nothing else for facts', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void expect(decodeFacts(text)).toBeUndefined()));
  });

  it.each([
    [404, 'not-live', { kind: 'not-live' }],
    [404, 'ended', { kind: 'ended' }],
    [404, 'not-found', { kind: 'not-found', detail: 'why' }],
    [400, 'bad-request', { kind: 'bad-request', detail: 'why' }],
    [503, 'timed-out', { kind: 'unavailable', reason: 'timed-out', detail: 'why' }],
    [503, 'draining', { kind: 'unavailable', reason: 'draining', detail: 'why' }],
    [503, 'whatever', { kind: 'unavailable', reason: 'too-busy', detail: 'why' }],
    [500, 'internal-error', undefined],
  ])('reads a %i of an origin: %s', (status, kind, absence) => {
    expect(decodeAbsence(status, JSON.stringify({ type: `/problems/${kind}`, detail: 'why' }))).toEqual(absence);
    expect(decodeAbsence(status, '<html>')).toBeUndefined();
  });
});
