import { ManualClock } from '@millrace/clock/testing';
import type { LiveWindowWriter, PartWrite, WriteRefusal } from '@millrace/handover';
import { anAssignment, anOpenWindow, aPart, createRecordingWriter } from '@millrace/handover/testing';
import { err, ok } from '@millrace/result';
import { describe, expect, it } from 'vitest';
import { SegmentPush } from './segment-push.ts';

const { streamId } = anAssignment();
const place = (write: Pick<PartWrite, 'rendition' | 'segment' | 'part'>) =>
  `${write.rendition} ${write.segment}.${write.part}`;

function aPush(writer: LiveWindowWriter) {
  const clock = new ManualClock();
  const written: string[] = [];
  const refused: string[] = [];
  const failed: WriteRefusal[] = [];
  const push = new SegmentPush({
    writer,
    clock,
    random: () => 0.5,
    patienceMs: 1_000,
    onWritten: (write) => void written.push(place(write)),
    onRefused: (kind) => void refused.push(kind),
    onFailed: (refusal) => void failed.push(refusal),
  });
  return { push, clock, written, refused, failed };
}

/** Part `index` of one long segment. */
const part = (rendition: 'video' | 'audio', index: number, last = false) =>
  aPart(streamId, 5, { rendition, segment: 0, part: index, index }, { last });

describe('pushing parts', () => {
  it('writes the parts of a rendition in order, and renditions beside each other', async () => {
    const gates: (() => void)[] = [];
    const started: string[] = [];
    const writer: LiveWindowWriter = {
      ...createRecordingWriter(),
      part: (write) => {
        started.push(place(write));
        return new Promise((resolve) => gates.push(() => resolve(ok())));
      },
    };
    const { push, clock } = aPush(writer);
    for (const index of [0, 1]) for (const name of ['video', 'audio'] as const) push.part(part(name, index));
    await clock.advance(0);
    expect(started).toEqual(['video 0.0', 'audio 0.0']);
    gates[0]?.();
    await clock.advance(0);
    expect(started).toEqual(['video 0.0', 'audio 0.0', 'video 0.1']);
  });

  it('opens the window again only when all parts before are written', async () => {
    const calls: string[] = [];
    let release = () => {};
    const inner = createRecordingWriter();
    const { push, clock } = aPush({
      ...inner,
      open: (window) => {
        calls.push('open');
        return inner.open(window);
      },
      part: async (write) => {
        calls.push(place(write));
        if (write.part === 1) await new Promise<void>((resolve) => (release = resolve));
        return inner.part(write);
      },
    });
    await push.open(anOpenWindow(streamId, 5));
    push.part(part('video', 0));
    push.part(part('video', 1));
    const reopened = push.open(anOpenWindow(streamId, 5, { variant: 1 }));
    await clock.advance(0);
    expect(calls).toEqual(['open', 'video 0.0', 'video 0.1']);
    release();
    expect((await reopened)?.fresh).toBe(true);
    expect(calls).toEqual(['open', 'video 0.0', 'video 0.1', 'open']);
  });

  it('tries an unavailable delivery again and goes on without a gap', async () => {
    const writer = createRecordingWriter();
    const { push, clock, written, failed } = aPush(writer);
    await push.open(anOpenWindow(streamId, 5));
    writer.refuseWith({ kind: 'unavailable', message: 'restarting' });
    push.part(part('video', 0));
    push.part(part('video', 1));
    await clock.advance(500);
    expect(written).toEqual([]);
    expect(push.queuedBytes).toBeGreaterThan(0);
    writer.refuseWith(undefined);
    await clock.advance(1_000);
    expect(written).toEqual(['video 0.0', 'video 0.1']);
    expect([push.queuedBytes, failed]).toEqual([0, []]);
  });

  it('fails once when delivery stays away longer than patience lasts, and forgets its queue', async () => {
    const writer = createRecordingWriter();
    const { push, clock, failed } = aPush(writer);
    await push.open(anOpenWindow(streamId, 5));
    writer.refuseWith({ kind: 'unavailable', message: 'gone' });
    push.part(part('video', 0));
    push.part(part('audio', 0));
    await clock.advance(5_000);
    expect(failed).toEqual([{ kind: 'unavailable', message: 'gone' }]);
    expect([push.queuedBytes, clock.pending]).toEqual([0, 0]);
    await push.idle();
  });

  it('takes a part whose answer got lost as written', async () => {
    const inner = createRecordingWriter();
    let lost = false;
    const { push, clock, written, failed } = aPush({
      ...inner,
      async part(write) {
        const answer = await inner.part(write);
        if (write.part !== 1 || lost) return answer;
        lost = true;
        return err({ kind: 'unavailable', message: 'no answer' });
      },
    });
    await push.open(anOpenWindow(streamId, 5));
    for (const index of [0, 1, 2]) push.part(part('video', index));
    await clock.advance(1_000);
    expect(written).toEqual(['video 0.0', 'video 0.1', 'video 0.2']);
    expect(failed).toEqual([]);
    expect(inner.parts).toHaveLength(3);
  });

  it.each([
    [{ kind: 'stale-epoch', current: anAssignment().epoch }],
    [{ kind: 'unexpected-part', expected: { segment: 9, part: 0 } }],
    [{ kind: 'not-open', message: 'delivery restarted' }],
    [{ kind: 'bad-part', message: 'too long' }],
  ] satisfies [WriteRefusal][])('gives up at once on %j', async (refusal) => {
    const writer = createRecordingWriter();
    const { push, clock, failed, refused } = aPush(writer);
    await push.open(anOpenWindow(streamId, 5));
    writer.refuseWith(refusal);
    push.part(part('video', 0));
    push.part(part('video', 1));
    await clock.advance(0);
    expect(failed).toEqual([refusal]);
    expect(refused).toEqual([refusal.kind]);
  });

  it('takes a writer that throws as unavailable', async () => {
    const { push, clock, failed } = aPush({
      ...createRecordingWriter(),
      open: () => Promise.reject(new Error('broken')),
    });
    const opened = push.open(anOpenWindow(streamId, 5));
    await clock.advance(5_000);
    expect(await opened).toBeUndefined();
    expect(failed).toMatchObject([{ kind: 'unavailable' }]);
  });
});
