/** Progress behind a real listener, with a folder for its store, and a tus client that can be cut off. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HttpServer, openHttpServer } from '@millrace/http';
import { silentLogger } from '@millrace/log';
import { type MediaStore, openFolderStore } from '@millrace/media-store';
import { Upload } from 'tus-js-client';
import type { ProgressService } from '../service.ts';
import { openTestProgress, type TestProgress, type TestProgressOptions } from '../testing.ts';

export interface UploadRig extends AsyncDisposable {
  readonly progress: TestProgress;
  readonly folder: string;
  readonly store: MediaStore;
  readonly url: string;
  readonly token: string;
  readonly ownerId: string;
  /** A request of the listener, with the owner's token. */
  send(method: string, path: string, headers?: Record<string, string>, body?: Uint8Array): Promise<Response>;
  /** Begins an upload; gives its path and its video. */
  begin(size: number, metadata?: Record<string, string>): Promise<{ path: string; uploadId: string; videoId: string }>;
  /** Sends all of `bytes` with tus-js-client. */
  upload(bytes: Uint8Array, options?: Partial<ConstructorParameters<typeof Upload>[1]>): Promise<string>;
  /** The original of a video once it is there, as a hash. */
  original(videoId: string): Promise<string>;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A listener over the public routes of a service. */
export function listen(service: ProgressService): Promise<HttpServer> {
  return openHttpServer({ host: '127.0.0.1', port: 0, mounts: service.publicMounts, log: silentLogger });
}

export async function openUploadRig(options: TestProgressOptions = {}): Promise<UploadRig> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-uploads-'));
  const store = options.mediaStore ?? (await openFolderStore({ folder }));
  const progress = await openTestProgress({ ...options, mediaStore: store });
  const server = await listen(progress.service);
  const url = `http://127.0.0.1:${server.port}`;
  const { token, ownerId } = await progress.tokenOf('broadcaster');
  const rig: UploadRig = {
    ...{ progress, folder, store, url, token, ownerId },
    send: (method, path, headers = {}, body) =>
      fetch(new URL(path, url), {
        method,
        headers: { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0', ...headers },
        ...(body === undefined ? {} : { body: Uint8Array.from(body) }),
      }),
    async begin(size, metadata = { title: 'a film' }) {
      const answer = await rig.send('POST', '/api/v1/uploads', {
        'upload-length': String(size),
        'upload-metadata': encodeMetadata(metadata),
      });
      if (answer.status !== 201) throw new Error(`expected 201, got ${answer.status}: ${await answer.text()}`);
      const path = answer.headers.get('location') ?? '';
      const videoId = answer.headers.get('millrace-video-id') ?? '';
      return { path, uploadId: path.slice(path.lastIndexOf('/') + 1), videoId };
    },
    upload: (bytes, given = {}) =>
      new Promise((resolve, reject) => {
        let videoId = '';
        const upload = new Upload(Buffer.from(bytes), {
          endpoint: `${url}/api/v1/uploads`,
          headers: { authorization: `Bearer ${token}` },
          metadata: { title: 'a film' },
          retryDelays: [0, 20, 50, 100, 200, 400],
          onAfterResponse: (_request, response) => {
            videoId = response.getHeader('millrace-video-id') ?? videoId;
          },
          onSuccess: () => resolve(videoId),
          onError: reject,
          ...given,
        });
        upload.start();
      }),
    async original(videoId) {
      for (;;) {
        const video = await progress.service.store.videos.get(videoId);
        if (video === undefined || video.sourceState === 'failed')
          throw new Error(`no original: ${video?.sourceError}`);
        if (video.sourceState === 'ready') break;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const object = await store.get(`videos/${videoId}/source`);
      if (!object.ok) throw new Error(`no original: ${object.error.kind}`);
      const hash = createHash('sha256');
      for await (const piece of object.value.bytes) hash.update(piece);
      return hash.digest('hex');
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await progress[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return rig;
}

function encodeMetadata(metadata: Record<string, string>): string {
  return Object.entries(metadata)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join(',');
}
