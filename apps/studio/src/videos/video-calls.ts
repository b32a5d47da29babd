/** Calls of /api/v1/videos and of the jobs behind them. */
import type { Caller } from '../api/caller.ts';
import type { Reader } from '../api/wire.ts';
import { readAccepted, readTaskProgress } from '../jobs/job-resources.ts';
import type { VideosView } from '../routing/media-view.ts';
import * as resources from './video-resources.ts';

const nothing: Reader<void> = () => undefined;

export type VideoCalls = ReturnType<typeof videoCalls>;

export function videoCalls({ call }: Caller) {
  const one = (id: string) => `/videos/${encodeURIComponent(id)}`;
  return {
    list: (view: VideosView & { readonly limit?: number }, cursor?: string, signal?: AbortSignal) => {
      const query = new URLSearchParams({ limit: String(view.limit ?? 24) });
      if (view.status !== undefined) query.set('status', view.status);
      if (view.title !== undefined) query.set('title', view.title);
      if (cursor !== undefined) query.set('cursor', cursor);
      return call({ path: `/videos?${query}`, read: resources.readVideoPage, signal });
    },
    get: (id: string, signal?: AbortSignal) => call({ path: one(id), read: resources.readVideo, signal }),
    create: (body: resources.VideoDraft & { readonly url?: string }, idempotencyKey?: string) =>
      call({
        ...{ method: 'POST', path: '/videos', body, read: resources.readCreatedVideo },
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      }),
    update: (id: string, body: Partial<resources.VideoDraft> | { readonly language: null }) =>
      call({ method: 'PATCH', path: one(id), body, read: resources.readVideo }),
    remove: (id: string) => call({ method: 'DELETE', path: one(id), read: nothing }),
    progress: (id: string, signal?: AbortSignal) =>
      call({ path: `${one(id)}/reprocess`, read: readTaskProgress, signal }),
    /** The first run of a video that was never processed. */
    runFirst: (id: string, force: boolean) =>
      call({ method: 'POST', path: `${one(id)}/run_sync`, body: { force }, read: readAccepted }),
    /** Without `steps` all of it. */
    reprocess: (id: string, options: { readonly force: boolean; readonly steps?: readonly string[] }) =>
      call({ method: 'POST', path: `${one(id)}/reprocess`, body: options, read: readAccepted }),
    cancelJob: (jobId: string) =>
      call({ method: 'POST', path: `/jobs/${encodeURIComponent(jobId)}/cancel`, read: nothing }),
    createToken: (id: string, expiresInS: number) =>
      call({
        ...{ method: 'POST', path: `${one(id)}/playback-tokens`, body: { expires_in_s: expiresInS } },
        read: resources.readVideoToken,
      }),
  };
}
