import { describe, expect, it, vi } from 'vitest';
import type { VodLoss, VodStart } from './vod-playback.ts';
import { VodSession } from './vod-session.ts';

/** As much of a video element as the session touches. */
class FakeVideo extends EventTarget {
  currentTime = 0;
  paused = true;
  played = 0;
  play() {
    this.played += 1;
    this.paused = false;
    return Promise.resolve();
  }
}

function open() {
  const video = new FakeVideo();
  const opened: { readonly start: VodStart; readonly lose: (loss: VodLoss) => void; closed: boolean }[] = [];
  const timers: (() => void)[] = [];
  const session = new VodSession(
    {
      video: video as unknown as HTMLVideoElement,
      time: { after: (_ms, run) => (timers.push(run), { cancel: () => undefined }) },
      open: async (_video, start, lose) => {
        const one = { start, lose, closed: false };
        opened.push(one);
        return { hls: undefined, close: () => void (one.closed = true) };
      },
    },
    '/vod/a/index.m3u8',
  );
  return { video, opened, timers, session };
}

describe('a video on its stage', () => {
  it('loads nothing before it is asked to, and once', async () => {
    const { session, opened } = open();
    expect(session.state.kind).toBe('idle');
    session.load();
    session.load();
    await vi.waitFor(() => expect(session.state.kind).toBe('ready'));
    expect(opened).toHaveLength(1);
  });

  it('goes on where it was, playing, after a failure, and gives up after three in a row', async () => {
    const { session, opened, timers, video } = open();
    session.load();
    await vi.waitFor(() => expect(session.state.kind).toBe('ready'));
    Object.assign(video, { currentTime: 7, paused: false });
    for (let n = 1; n <= 3; n++) {
      opened.at(-1)?.lose({ reason: 'fragLoadError' });
      expect(session.state.kind).toBe('loading');
      timers.at(-1)?.();
      await vi.waitFor(() => expect(opened).toHaveLength(n + 1));
      await vi.waitFor(() => expect(session.state.kind).toBe('ready'));
      expect(opened.at(-1)?.start.atS).toBe(7);
    }
    expect(video.played).toBe(3);
    opened.at(-1)?.lose({ reason: 'fragLoadError' });
    expect(session.state).toEqual({ kind: 'lost', loss: { reason: 'fragLoadError' } });
    session.load();
    await vi.waitFor(() => expect(session.state.kind).toBe('ready'));
  });

  it('says at once when it was refused', async () => {
    const { session, opened, timers } = open();
    session.load();
    await vi.waitFor(() => expect(session.state.kind).toBe('ready'));
    opened[0]?.lose({ reason: 'manifestLoadError', refusedWith: 404 });
    expect(session.state.kind).toBe('lost');
    expect(timers).toEqual([]);
  });

  it('takes what is new at its address unless somebody is watching', async () => {
    const { session, opened, video } = open();
    session.load();
    await vi.waitFor(() => expect(session.state.kind).toBe('ready'));
    video.paused = false;
    session.renew('/vod/a/index.m3u8');
    expect(opened).toHaveLength(1);
    video.paused = true;
    session.renew('/vod/b/index.m3u8');
    await vi.waitFor(() => expect(opened.at(-1)?.start.url).toBe('/vod/b/index.m3u8'));
    expect(opened[0]?.closed).toBe(true);
  });
});
