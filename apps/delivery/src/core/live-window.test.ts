import type { OpenWindow, PartWrite, RenditionSpec } from '@millrace/handover';
import { renderMediaPlaylist } from '@millrace/hls';
import { readMediaPlaylist } from '@millrace/hls/testing';
import type { Epoch, PublishId, StreamId } from '@millrace/ids';
import { describe, expect, it } from 'vitest';
import { spec } from '../../test/synthetic-broadcast.ts';
import { LiveWindow } from './live-window.ts';
import { mediaPlaylistView } from './playlist-views.ts';

const streamId = 'str_1' as StreamId;

function opening(
  epoch: number,
  publish = 'pub_a',
  renditions: readonly RenditionSpec[] = [spec('video'), spec('audio')],
): OpenWindow {
  return {
    streamId,
    epoch: epoch as Epoch,
    publishId: publish as PublishId,
    settings: { targetDurationS: 2, partTargetS: 0.216, partDurationMs: 200 },
    renditions,
  };
}

function opened(listedSegments = 6): LiveWindow {
  return new LiveWindow(opening(5), { windowId: 'w12345', firstSegment: 100, listedSegments });
}

/** The write a window expects next, changed as a test wants. */
function nextWrite(window: LiveWindow, rendition: string, change: Partial<PartWrite> = {}): PartWrite {
  const track = window.track(rendition);
  if (track === undefined) throw new Error(`no rendition ${rendition}`);
  const { segment, part } = track.next;
  return {
    streamId,
    epoch: window.epoch,
    rendition,
    segment,
    part,
    dts: (segment * 10 + part) * track.spec.timescale * 0.2,
    duration: track.spec.timescale * 0.2,
    independent: part === 0,
    discontinuity: false,
    programDateTimeMs: undefined,
    last: part === 9,
    bytes: [new Uint8Array(10)],
    ...change,
  };
}

function write(window: LiveWindow, rendition: string, count = 1, change: Partial<PartWrite> = {}): void {
  for (let i = 0; i < count; i++) expect(window.take(nextWrite(window, rendition, change)).ok).toBe(true);
}

function playlist(window: LiveWindow, rendition: string) {
  const track = window.track(rendition);
  if (track === undefined) throw new Error(`no rendition ${rendition}`);
  return readMediaPlaylist(renderMediaPlaylist(mediaPlaylistView(window, track)));
}

describe('a writer', () => {
  it('is told what is expected when it writes anything but the next part', () => {
    const window = opened();
    write(window, 'video', 3);
    for (const wrong of [{ part: 2 }, { part: 4 }, { segment: 101, part: 0 }, { segment: 99, part: 3 }]) {
      expect(window.take(nextWrite(window, 'video', wrong))).toEqual({
        ok: false,
        error: { kind: 'unexpected-part', expected: { segment: 100, part: 3 } },
      });
    }
    expect(window.track('video')?.next).toEqual({ segment: 100, part: 3 });
  });

  it('with a lower epoch is refused in everything it does, and learns the current one', () => {
    const window = opened();
    expect(window.reopen(opening(9)).ok).toBe(true);
    const stale = { ok: false, error: { kind: 'stale-epoch', current: 9 } };
    expect(window.take(nextWrite(window, 'video', { epoch: 5 as Epoch }))).toEqual(stale);
    expect(window.reopen(opening(8))).toEqual(stale);
    expect(window.end(8 as Epoch)).toEqual(stale);
    expect(window.ended).toBe(false);
  });

  it('with a higher epoch must open first', () => {
    const window = opened();
    expect(window.take(nextWrite(window, 'video', { epoch: 6 as Epoch }))).toMatchObject({
      error: { kind: 'not-open' },
    });
  });

  it.each([
    ['longer than the part target', { duration: 90_000 * 0.216 + 2 }],
    ['without bytes', { bytes: [new Uint8Array(0)] }],
    ['of no duration', { duration: 0 }],
    ['at a negative time', { dts: -1 }],
    ['of a rendition that was not opened', { rendition: 'other' }],
  ])('has a part %s refused', (_, change) => {
    const window = opened();
    const good = nextWrite(window, 'video');
    expect(window.take({ ...good, ...change })).toMatchObject({ ok: false, error: { kind: 'bad-part' } });
    expect(window.take(good).ok).toBe(true);
  });

  it('cannot make a segment longer than the target duration', () => {
    const window = opened();
    write(window, 'video', 12, { last: false });
    expect(window.take(nextWrite(window, 'video', { last: false }))).toMatchObject({ error: { kind: 'bad-part' } });
    expect(playlist(window, 'video').segments.at(-1)?.parts).toHaveLength(12);
  });
});

describe('a take-over of the same publish', () => {
  it('goes on with the very next part and leaves no trace in the playlist', () => {
    const window = opened();
    write(window, 'video', 13);
    write(window, 'audio', 12);
    const taken = window.reopen(opening(6));
    expect(taken).toMatchObject({
      ok: true,
      value: {
        changes: [],
        state: {
          fresh: false,
          renditions: [
            {
              name: 'video',
              next: { segment: 101, part: 3 },
              nextDts: (1010 + 3) * 18_000,
              segments: [
                { segment: 100, startDts: 1000 * 18_000, complete: true },
                { segment: 101, startDts: 1010 * 18_000, complete: false },
              ],
            },
            { name: 'audio', next: { segment: 101, part: 2 } },
          ],
        },
      },
    });
    write(window, 'video', 8);
    const { segments } = playlist(window, 'video');
    expect(segments.map((segment) => segment.discontinuity)).toEqual([false, false, false]);
    expect(segments.map((segment) => segment.parts.length)).toEqual([10, 10, 1]);
  });
});

describe('a new publish in an open window', () => {
  it('closes the open segments, aligns the numbers and starts a discontinuity in every rendition', () => {
    const window = opened();
    write(window, 'video', 13);
    write(window, 'audio', 9);
    const reopened = window.reopen(opening(6, 'pub_b'));
    expect(reopened).toMatchObject({
      ok: true,
      value: {
        state: {
          fresh: true,
          renditions: [
            { next: { segment: 102, part: 0 }, nextDts: undefined, segments: [] },
            { next: { segment: 102, part: 0 } },
          ],
        },
      },
    });
    write(window, 'video');
    write(window, 'audio');
    expect(playlist(window, 'video').segments.map(({ number, discontinuity }) => [number, discontinuity])).toEqual([
      [100, false],
      [101, false],
      [102, true],
    ]);
    const audio = playlist(window, 'audio').segments;
    expect(audio.map(({ number, discontinuity, gap }) => [number, discontinuity, gap])).toEqual([
      [100, false, false],
      [101, false, true],
      [102, true, false],
    ]);
    expect(audio.map((segment) => segment.mapTag !== undefined)).toEqual([true, false, true]);
  });

  it('keeps the settings with which the playlist began', () => {
    const window = opened();
    write(window, 'video');
    const other = { ...opening(6, 'pub_b'), settings: { targetDurationS: 4, partTargetS: 0.36, partDurationMs: 333 } };
    expect(window.reopen(other)).toMatchObject({
      value: { state: { settings: { targetDurationS: 2, partTargetS: 0.216 } } },
    });
  });

  it('starts no discontinuity when nothing was listed before it', () => {
    const window = opened();
    window.reopen(opening(6, 'pub_b'));
    write(window, 'video');
    expect(playlist(window, 'video').segments[0]?.discontinuity).toBe(false);
  });
});

describe('a change of codecs in the same publish', () => {
  it('starts a discontinuity with the new init section, and the old one stays fetchable', () => {
    const window = opened();
    write(window, 'video', 10);
    write(window, 'audio', 10);
    window.reopen(opening(5, 'pub_a', [spec('video', 2), spec('audio')]));
    write(window, 'video', 10);
    write(window, 'audio', 10);
    const { segments } = playlist(window, 'video');
    expect(segments.map((segment) => segment.mapUri)).toEqual([
      '../../../video/w12345-init0.mp4',
      '../../../video/w12345-init1.mp4',
    ]);
    expect(segments[1]?.discontinuity).toBe(true);
    expect(playlist(window, 'audio').segments.map((segment) => segment.discontinuity)).toEqual([false, true]);
    expect([window.track('video')?.init(0), window.track('video')?.init(1)]).toEqual([
      spec('video').init,
      spec('video', 2).init,
    ]);
  });

  it('ends a rendition that is not there any more, and one that comes begins at the common number', () => {
    const window = opened();
    write(window, 'video', 15);
    write(window, 'audio', 15);
    window.reopen(opening(6, 'pub_b', [spec('audio')]));
    write(window, 'audio', 1);
    expect(playlist(window, 'video').ended).toBe(true);
    window.reopen(opening(7, 'pub_c', [spec('video'), spec('audio')]));
    write(window, 'video');
    write(window, 'audio');
    const video = playlist(window, 'video');
    const audio = playlist(window, 'audio');
    expect([video.mediaSequence, video.ended, video.segments[0]?.mapUri]).toEqual([
      103,
      false,
      '../../../video/w12345-init1.mp4',
    ]);
    expect(audio.segments.at(-1)?.number).toBe(103);
    expect(video.discontinuitySequence + 1).toBe(
      audio.discontinuitySequence + audio.segments.filter((s) => s.discontinuity).length,
    );
  });
});

describe('a timestamp jump', () => {
  it('that one rendition declares is a discontinuity of the same segment in the others', () => {
    const window = opened();
    write(window, 'video', 10);
    write(window, 'audio', 10);
    write(window, 'video', 1, { discontinuity: true });
    write(window, 'audio', 1);
    expect(playlist(window, 'audio').segments.map((segment) => segment.discontinuity)).toEqual([false, true]);
  });
});

describe('retention', () => {
  it('lists the newest segments, counts discontinuities that left, and keeps media fetchable as long again', () => {
    const window = opened(6);
    write(window, 'video', 20);
    window.reopen(opening(6, 'pub_b'));
    write(window, 'video', 100);
    const read = playlist(window, 'video');
    expect(read.segments.map((segment) => segment.number)).toEqual([106, 107, 108, 109, 110, 111]);
    expect([read.mediaSequence, read.discontinuitySequence]).toEqual([106, 1]);
    const track = window.track('video');
    const fetchable = Array.from({ length: 12 }, (_, i) => 100 + i).filter((n) => track?.segment(n) !== undefined);
    expect(fetchable[0]).toBeLessThanOrEqual(100);
    write(window, 'video', 100);
    expect([track?.segment(108), track?.segment(115)?.number]).toEqual([undefined, 115]);
  });

  it('lists parts for three target durations and frees what the store has beyond them', () => {
    const window = opened(8);
    const archive = (taken: ReturnType<LiveWindow['take']>) => {
      if (taken.ok) for (const segment of taken.value.completed) taken.value.track.archived(segment.number);
    };
    for (let i = 0; i < 85; i++) archive(window.take(nextWrite(window, 'video')));
    const read = playlist(window, 'video');
    expect(read.segments.map((segment) => segment.parts.length)).toEqual([0, 0, 0, 0, 0, 10, 10, 10, 5]);
    const track = window.track('video');
    expect(track?.segment(104)?.media).toBeUndefined();
    expect(track?.segment(105)?.media).toHaveLength(10);
    expect(window.memoryBytes).toBe(35 * 10);
  });

  it('keeps in memory what the store does not have', () => {
    const window = opened(8);
    write(window, 'video', 85);
    expect(window.memoryBytes).toBe(85 * 10);
  });
});

it('an ended window takes nothing more and says so', () => {
  const window = opened();
  write(window, 'video', 13);
  expect(window.end(5 as Epoch).ok).toBe(true);
  expect(playlist(window, 'video')).toMatchObject({ ended: true, hints: [] });
  expect(playlist(window, 'video').segments.map((segment) => segment.durationS)).toEqual([2, 0.6]);
  expect(window.take(nextWrite(window, 'video'))).toMatchObject({ error: { kind: 'not-open' } });
  expect(window.reopen(opening(5))).toMatchObject({ error: { kind: 'not-open' } });
});
