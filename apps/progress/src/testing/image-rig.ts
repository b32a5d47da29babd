/** Progress with images: pictures to upload, and a worker that is told how its task ends. */
import type { LeasedTask, ResultOf, TaskKind, VideoStatusResponse } from '@millrace/api';
import type { ProgressSettings } from '../config.ts';
import { openTestProgress, type TestProgress, type TestProgressOptions } from '../testing.ts';

/** A PNG whose header says `width` x `height`; nobody decodes it here. */
export function pngHeader(width: number, height: number): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
  const view = new DataView(bytes.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  bytes.set([8, 2], 24);
  bytes.set([0x49, 0x44, 0x41, 0x54], 37); // IDAT
  return bytes;
}

export interface ImageRig extends AsyncDisposable {
  readonly progress: TestProgress;
  readonly token: string;
  readonly ownerId: string;
  /** A call with the owner's token. */
  call: <T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => ReturnType<TestProgress['call']> extends Promise<infer A> ? Promise<Omit<A, 'body'> & { body: T }> : never;
  upload(imgName: string, bytes?: Uint8Array, type?: string): Promise<Response>;
  status(imgName: string): Promise<VideoStatusResponse>;
  /** Leases the next task of a video of an image, or of other kinds. */
  lease(kinds?: readonly TaskKind[]): Promise<LeasedTask>;
  /** Ends a task of a thumbnail as a worker does that has made it. */
  thumbnailDone(task: LeasedTask): Promise<void>;
  done(task: LeasedTask): Promise<void>;
  fail(task: LeasedTask, reason?: string, code?: string): Promise<void>;
  stopped(task: LeasedTask): Promise<void>;
}

const videoTrack = {
  ...{ codec: 'h264', profile: 'High', width: 64, height: 36, frames_per_second: 10 },
  ...{ bits_per_second: null, pixel_format: 'yuv420p', rotation: 0 },
};

export async function openImageRig(
  options: Omit<TestProgressOptions, 'settings'> & { readonly settings?: Partial<ProgressSettings> } = {},
): Promise<ImageRig> {
  const progress = await openTestProgress(options);
  const { token, ownerId } = await progress.tokenOf('broadcaster');
  const end = async (task: LeasedTask, how: object) => {
    const ended = { task_id: task.task_id, fence: task.fence, ...how } as never;
    const standing = await progress.service.leases.end('w1', ended);
    if (!standing.ok || standing.value !== 'taken')
      throw new Error(`expected it to be taken, ${JSON.stringify(standing)}`);
  };
  return {
    ...{ progress, token, ownerId },
    call: (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
      progress.call(method, path, { token, body, ...(headers === undefined ? {} : { headers }) }),
    upload: (imgName, bytes = pngHeader(640, 480), type = 'image/png') =>
      progress.service.fetch(
        new Request(`http://test/api/v1/images?img_name=${imgName}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': type },
          body: Uint8Array.from(bytes),
        }),
      ),
    async status(imgName) {
      return (await progress.call<VideoStatusResponse>('GET', `/api/v1/images/${imgName}/video`, { token })).body;
    },
    async lease(kinds = ['animate', 'generate']) {
      const request = { worker_id: 'w1', slots: 1, kinds: [...kinds], wait_ms: 5_000 };
      const leased = await progress.service.leases.lease(request, new AbortController().signal);
      const task = leased.ok ? leased.value[0] : undefined;
      if (task === undefined) throw new Error('expected a task to lease');
      return task;
    },
    async done(task) {
      const media = { container: 'mov,mp4', duration_ms: 500, size_bytes: 100, video: videoTrack, audio: null };
      const result: ResultOf<'animate'> = { kind: 'animate', media, poster: 'poster.jpg', bytes: 200 };
      await end(task, { kind: 'done', result: { ...result, kind: task.spec.kind } });
    },
    async thumbnailDone(task) {
      if (task.spec.kind !== 'thumbnail') throw new Error(`expected a thumbnail, got ${task.spec.kind}`);
      await progress.mediaStore.put(task.spec.output, [new TextEncoder().encode('small')]);
      await end(task, { kind: 'done', result: { kind: 'thumbnail', width: 640, height: 480, bytes: 5 } });
    },
    fail: (task, reason = 'the picture cannot be read', code = 'bad-media') =>
      end(task, { kind: 'failed', failure: { code, reason, retryable: false } }),
    stopped: (task) => end(task, { kind: 'stopped' }),
    [Symbol.asyncDispose]: () => progress[Symbol.asyncDispose](),
  };
}
