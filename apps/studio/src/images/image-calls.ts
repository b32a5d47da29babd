/** Calls of /api/v1/images. */
import { useMemo } from 'react';
import type { Caller } from '../api/caller.ts';
import type { Reader } from '../api/wire.ts';
import { readAccepted } from '../jobs/job-resources.ts';
import type { ImagesView } from '../routing/media-view.ts';
import { useStudio } from '../session/context.tsx';
import { readHistory, readImage, readImagePage } from './image-resources.ts';
import type { VideoWishBody } from './video-wish.ts';

const nothing: Reader<void> = () => undefined;
/** A picture on a slow line. */
const uploadTimeoutMs = 300_000;

interface RegisterBody {
  readonly img_name: string;
  readonly source_type: string;
  /** Where the picture is. */
  readonly url?: string;
  readonly prompt?: string;
}

export type ImageCalls = ReturnType<typeof imageCalls>;

function imageCalls({ call, download }: Caller) {
  const one = (name: string) => `/images/${encodeURIComponent(name)}`;
  return {
    list: (view: ImagesView, cursor?: string, signal?: AbortSignal) => {
      const query = new URLSearchParams({ limit: '24' });
      if (view.status !== undefined) query.set('video_status', view.status);
      if (view.name !== undefined) query.set('name', view.name);
      if (cursor !== undefined) query.set('cursor', cursor);
      return call({ path: `/images?${query}`, read: readImagePage, signal });
    },
    get: (name: string, signal?: AbortSignal) => call({ path: one(name), read: readImage, signal }),
    upload: (name: string, file: File) =>
      call({
        ...{ method: 'POST', path: `/images?${new URLSearchParams({ img_name: name })}`, file, read: readImage },
        timeoutMs: uploadTimeoutMs,
      }),
    register: (body: RegisterBody) => call({ method: 'POST', path: '/images', body, read: readImage }),
    /** `address` as the API told it: of a picture or of its thumbnail. */
    picture: (address: string, signal?: AbortSignal) => {
      const { pathname, search } = new URL(address);
      return download(pathname.slice(pathname.indexOf('/images/')) + search, signal);
    },
    makeVideo: (name: string, body: VideoWishBody) =>
      call({ method: 'POST', path: `${one(name)}/video`, body, read: readAccepted }),
    cancelVideo: (name: string) => call({ method: 'POST', path: `${one(name)}/video/cancel`, read: nothing }),
    history: (name: string, signal?: AbortSignal) =>
      call({ path: `${one(name)}/history?limit=50`, read: readHistory, signal }),
    remove: (name: string) => call({ method: 'DELETE', path: one(name), read: nothing }),
  };
}

export function useImageCalls(): ImageCalls {
  const { caller } = useStudio().api;
  return useMemo(() => imageCalls(caller), [caller]);
}
