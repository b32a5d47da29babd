import { createHash } from 'node:crypto';
import type { MediaTag } from '@millrace/flv';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ByteBudget } from '../src/core/byte-budget.ts';
import type { Command } from '../src/core/command.ts';
import { Guard } from '../src/core/guard.ts';
import { defaultGuardLimits } from '../src/core/guard-limits.ts';
import { openIngest, type TestIngest } from './harness.ts';
import { recordFfmpeg } from './recording.ts';

let ingest: TestIngest;
let recorded: Uint8Array;
beforeAll(async () => {
  ingest = await openIngest();
  const { key } = await ingest.addStream();
  recorded = await recordFfmpeg(ingest, key, { seconds: 2, extra: ['-bf', '2', '-tune', 'film'] });
});
afterAll(() => ingest[Symbol.asyncDispose]());

interface Passed {
  readonly commands: readonly Command['kind'][];
  readonly handshake: readonly number[];
  /** Kind, times and a digest of the payload of each tag: cheap to compare. */
  readonly digests: readonly string[];
  readonly fault: unknown;
}

/** What passes the guard when the bytes come in these pieces. */
function pass(bytes: Uint8Array, cuts: readonly number[]): Passed & { readonly tags: readonly MediaTag[] } {
  const commands: Command['kind'][] = [];
  const handshake: number[] = [];
  const tags: MediaTag[] = [];
  const budget = new ByteBudget(1 << 26);
  const guard = new Guard(
    {
      handshake: (block) => void handshake.push(block.length),
      command(command) {
        commands.push(command.kind);
        if (command.kind === 'publish') guard.acceptMedia();
        return undefined;
      },
      tag: (tag) => void tags.push(tag),
      dropped: () => {},
      windowAckSize: () => {},
      pingRequest: () => {},
    },
    defaultGuardLimits,
    budget,
  );
  let fault: unknown;
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    // A copy that is overwritten afterwards, as a reused read buffer would be.
    const piece = bytes.slice(from, cut);
    fault ??= guard.push(piece);
    piece.fill(0xaa);
    from = Math.max(from, cut);
  }
  guard.close();
  expect(budget.used).toBe(0);
  return { commands, handshake, digests: tags.map(digest), fault, tags };
}

function digest(tag: MediaTag): string {
  const bytes = 'payload' in tag ? tag.payload : 'record' in tag ? tag.record : new Uint8Array();
  const { kind, timestampMs } = tag;
  const picture = tag.kind === 'video-frame' ? `${tag.compositionMs} ${tag.keyframe}` : '';
  return `${kind} ${timestampMs} ${picture} ${createHash('md5').update(bytes).digest('hex')}`;
}

function messages({ commands, handshake, digests, fault }: Passed): Passed {
  return { commands, handshake, digests, fault };
}

describe('a recorded publish of ffmpeg', () => {
  it('gives the same messages in any fragmentation, from single bytes to one piece', () => {
    const whole = pass(recorded, []);
    expect(whole.fault).toBeUndefined();
    expect(whole.handshake).toEqual([1_537, 1_536]);
    expect(whole.commands).toContain('publish');
    expect(whole.tags.filter((tag) => tag.kind === 'video-frame')).toHaveLength(50);
    const bytewise = pass(
      recorded,
      Array.from({ length: recorded.length }, (_, i) => i),
    );
    expect(messages(bytewise)).toEqual(messages(whole));
    const cuts = fc.array(fc.integer({ min: 0, max: recorded.length }), { maxLength: 400, size: 'max' });
    fc.assert(
      fc.property(cuts, (given) => {
        expect(
          pass(
            recorded,
            [...given].sort((a, b) => a - b),
          ),
        ).toEqual(whole);
      }),
      { numRuns: 10 },
    );
  });

  it('gives payloads that lie side by side, so that a part can be one slice', () => {
    const frames = pass(recorded, []).tags.filter((tag) => tag.kind === 'video-frame');
    const adjacent = frames.filter((tag, i) => {
      const before = frames[i - 1]?.payload;
      return (
        before !== undefined &&
        before.buffer === tag.payload.buffer &&
        before.byteOffset + before.length === tag.payload.byteOffset
      );
    });
    expect(adjacent.length).toBeGreaterThan(frames.length * 0.8);
  });

  it('cut off anywhere, leaves no memory claimed and no fault', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: recorded.length }), (length) => {
        expect(pass(recorded.subarray(0, length), []).fault).toBeUndefined();
      }),
      { numRuns: 30 },
    );
  });
});
