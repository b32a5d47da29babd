import { err, ok } from '@millrace/result';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ApiError } from '../api/api-error.ts';
import type { TransferCode, TransferEvents, Unfinished } from './transfer.ts';
import { Uploads, type UploadsDeps } from './uploads.ts';

const wish = { visibility: 'public' as const, language: undefined };
const timers: { readonly delayMs: number; readonly run: () => void; cancelled: boolean }[] = [];
const transfers: { readonly videoId: string; readonly events: TransferEvents; readonly calls: string[] }[] = [];
let previous: Unfinished | undefined;
let created = 0;
let removed: string[] = [];
let refuse: ApiError | undefined;

const code: TransferCode = {
  openTransfer: (_file, { videoId }, events) => {
    const calls: string[] = [];
    transfers.push({ videoId, events, calls });
    const say = (call: string) => async () => void calls.push(call);
    return { start: () => void calls.push('start'), pause: say('pause'), cancel: say('cancel') };
  },
  findPrevious: async () => previous,
  findUnfinished: async () => (previous === undefined ? [] : [{ ...previous, sentBytes: 40 }]),
  discardUnfinished: async () => undefined,
};
const deps: UploadsDeps = {
  ownerId: 'own_1',
  token: () => 't',
  loadCode: async () => code,
  createVideo: async () => (refuse ? err(refuse) : ok({ videoId: `vid_${++created}`, endpoint: '/up' })),
  removeVideo: async (videoId) => ok(void removed.push(videoId)),
  time: {
    monotonicMs: () => 0,
    after: (delayMs, run) => {
      const timer = { delayMs, run, cancelled: false };
      timers.push(timer);
      return { cancel: () => void (timer.cancelled = true) };
    },
  },
};
const file = (name: string) => new File(['0123456789'.repeat(10)], name);
const stateOf = (uploads: Uploads, index = 0) => uploads.items[index]?.state.kind;

beforeEach(() => {
  for (const list of [timers, transfers]) list.length = 0;
  [previous, created, removed, refuse] = [undefined, 0, [], undefined];
});

describe('uploads', () => {
  it('send two files at a time, the next when one is done', async () => {
    const uploads = new Uploads(deps);
    uploads.add(['a.mp4', 'b.mp4', 'c.mp4'].map(file), wish);
    await vi.waitFor(() => expect(transfers).toHaveLength(2));
    expect(uploads.items.map((item) => item.state.kind)).toEqual(['starting', 'starting', 'queued']);
    transfers[0]?.events.onDone();
    await vi.waitFor(() => expect(transfers).toHaveLength(3));
    expect(stateOf(uploads)).toBe('done');
  });

  it('try again when the network fails, later each time, and at once when it is back', async () => {
    const uploads = new Uploads(deps);
    uploads.add([file('a.mp4')], wish);
    await vi.waitFor(() => expect(transfers).toHaveLength(1));
    const [transfer] = transfers;
    transfer?.events.onError({ kind: 'unreachable' });
    expect(stateOf(uploads)).toBe('interrupted');
    const retries = () => timers.filter(({ delayMs }) => delayMs < 60_000);
    retries()[0]?.run();
    transfer?.events.onError({ kind: 'unreachable' });
    expect(retries().map(({ delayMs }) => delayMs)).toEqual([500, 1_000]);
    uploads.retryNow();
    expect(retries()[1]?.cancelled).toBe(true);
    expect(transfer?.calls).toEqual(['start', 'start', 'start']);
    expect(created).toBe(1);
  });

  it('are broken off when the browser is offline, or when nothing moves for a minute', async () => {
    const uploads = new Uploads(deps);
    uploads.add([file('a.mp4')], wish);
    await vi.waitFor(() => expect(transfers).toHaveLength(1));
    transfers[0]?.events.onSent(50);
    const running = () => timers.filter(({ delayMs, cancelled }) => delayMs === 60_000 && !cancelled);
    expect(running()).toHaveLength(1);
    running()[0]?.run();
    expect(stateOf(uploads)).toBe('interrupted');
    uploads.retryNow();
    uploads.breakOff();
    expect(stateOf(uploads)).toBe('interrupted');
    expect(transfers[0]?.calls).toEqual(['start', 'pause', 'start', 'pause']);
    expect(running()).toEqual([]);
  });

  it('tell what the server refused, and do not try that again by themselves', async () => {
    const uploads = new Uploads(deps);
    refuse = { kind: 'refused', status: 409, title: 'Too many videos', detail: undefined, issues: [] };
    uploads.add([file('a.mp4')], wish);
    await vi.waitFor(() => expect(stateOf(uploads)).toBe('failed'));
    expect(uploads.items[0]?.state).toMatchObject({ reason: 'Too many videos.' });
    expect(timers).toEqual([]);
    refuse = undefined;
    uploads.resume(uploads.items[0]?.id ?? '');
    await vi.waitFor(() => expect(transfers).toHaveLength(1));
  });

  it('begin a new video when the one they were for is gone', async () => {
    const uploads = new Uploads(deps);
    uploads.add([file('a.mp4')], wish);
    await vi.waitFor(() => expect(transfers).toHaveLength(1));
    transfers[0]?.events.onError({
      kind: 'refused',
      status: 404,
      title: 'No such video',
      detail: undefined,
      issues: [],
    });
    uploads.resume(uploads.items[0]?.id ?? '');
    await vi.waitFor(() => expect(transfers[1]?.videoId).toBe('vid_2'));
  });

  it('that are paused stay so, whatever the broken request says', async () => {
    const uploads = new Uploads(deps);
    uploads.add([file('a.mp4')], wish);
    await vi.waitFor(() => expect(transfers).toHaveLength(1));
    const id = uploads.items[0]?.id ?? '';
    transfers[0]?.events.onSent(50);
    uploads.pause(id);
    transfers[0]?.events.onError({ kind: 'unreachable' });
    expect(uploads.items[0]?.state).toEqual({ kind: 'paused', sentBytes: 50 });
    uploads.resume(id);
    expect(transfers[0]?.calls).toEqual(['start', 'pause', 'start']);
  });

  it('that are cancelled leave no video behind, also when it is made a moment later', async () => {
    const uploads = new Uploads(deps);
    uploads.add([file('a.mp4')], wish);
    await uploads.cancel(uploads.items[0]?.id ?? '');
    await vi.waitFor(() => expect(removed).toEqual(['vid_1']));
    expect(uploads.items).toEqual([]);
    expect(transfers).toEqual([]);
  });

  it('of an earlier visit are shown, and go on for the same video when their file is given again', async () => {
    previous = { videoId: 'vid_9', fileName: 'a.mp4', sizeBytes: 100, url: '/up/1', stored: {} };
    const uploads = new Uploads(deps);
    await uploads.lookBack();
    expect(uploads.items[0]).toMatchObject({ videoId: 'vid_9', state: { kind: 'unfinished', sentBytes: 40 } });
    uploads.add([file('a.mp4')], wish);
    await vi.waitFor(() => expect(transfers).toHaveLength(1));
    expect(transfers[0]?.videoId).toBe('vid_9');
    expect(uploads.items).toHaveLength(1);
    expect(created).toBe(0);
  });
});
