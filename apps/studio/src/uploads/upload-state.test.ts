import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  nextUpload,
  retryDelayMs,
  sentBytes,
  titleOfFile,
  type UploadItem,
  type UploadSignal,
} from './upload-state.ts';

const queued: UploadItem = {
  ...{ id: 'a', fileName: 'a.mp4', sizeBytes: 1_000, videoId: undefined, state: { kind: 'queued' }, failures: 0 },
};
const signal: fc.Arbitrary<UploadSignal> = fc.oneof(
  fc.constantFrom<UploadSignal>({ kind: 'begun' }, { kind: 'paused' }, { kind: 'interrupted' }, { kind: 'finished' }),
  fc.record({ kind: fc.constant('sent' as const), bytes: fc.nat(1_000), atMs: fc.nat(10_000) }),
  fc.constant<UploadSignal>({ kind: 'failed', reason: 'full' }),
  fc.constant<UploadSignal>({ kind: 'named', videoId: 'vid_1' }),
);
const after = (...signals: readonly UploadSignal[]) => signals.reduce(nextUpload, queued);

describe('an upload', () => {
  it('that is done stays done, and sends between nothing and all of its bytes', () => {
    fc.assert(
      fc.property(fc.array(signal, { maxLength: 30 }), (signals) => {
        let item = queued;
        for (const one of signals) {
          const next = nextUpload(item, one);
          if (item.state.kind === 'done') expect(next).toBe(item);
          expect(sentBytes(next)).toBeGreaterThanOrEqual(0);
          expect(sentBytes(next)).toBeLessThanOrEqual(queued.sizeBytes);
          item = next;
        }
      }),
    );
  });

  it('that is paused or waits for the network hears nothing more of its last transfer', () => {
    const sent = { kind: 'sent', bytes: 400, atMs: 10 } as const;
    for (const stop of ['paused', 'interrupted'] as const) {
      const stopped = after({ kind: 'begun' }, sent, { kind: stop });
      expect(nextUpload(stopped, { ...sent, bytes: 500 })).toBe(stopped);
      expect(sentBytes(stopped)).toBe(400);
    }
  });

  it('counts failures until a byte gets through', () => {
    const fail = [{ kind: 'begun' }, { kind: 'interrupted' }] as const;
    expect(after(...fail, ...fail, ...fail).failures).toBe(3);
    expect(after(...fail, ...fail, { kind: 'begun' }, { kind: 'sent', bytes: 1, atMs: 0 }).failures).toBe(0);
  });
});

it('tries come at once, then more and more seldom', () => {
  expect([1, 2, 3, 10].map(retryDelayMs)).toEqual([500, 1_000, 2_000, 15_000]);
});

it('a video is called after its file', () => {
  expect(titleOfFile('My_holiday 2026.final.MP4')).toBe('My holiday 2026.final');
  expect(titleOfFile('.mov')).toBe('Untitled');
  fc.assert(
    fc.property(fc.string(), (name) => {
      const title = titleOfFile(name);
      expect(title.length).toBeGreaterThan(0);
      expect(title.length).toBeLessThanOrEqual(200);
      expect(/[\u0000-\u001f\u007f]/.test(title)).toBe(false);
    }),
  );
});
