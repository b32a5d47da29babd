/** Videos as a script of their owner handles them: REST, uploads by a tus client, and what the hub says of their jobs. */
import { readFile } from 'node:fs/promises';
import type { HubJob, TaskProgressResponse, Video } from '@millrace/api';
import { createHubClient } from '@millrace/hub-client';
import { Upload } from 'tus-js-client';
import { WebSocket } from 'ws';
import { eventually } from './eventually.ts';
import type { RestClient } from './rest-client.ts';

export interface JobWatch extends AsyncDisposable {
  /** Every state of the job that came, in order. */
  of(subject: string): readonly HubJob[];
}

export class VideoClient {
  readonly #httpUrl: string;
  readonly #api: RestClient;

  constructor(httpUrl: string, api: RestClient) {
    this.#httpUrl = httpUrl;
    this.#api = api;
  }

  /** A video that waits for its original. */
  async create(title: string, given: Readonly<Record<string, unknown>> = {}): Promise<Video> {
    const created = await this.#api.expect('POST', '/videos', { title, ...given });
    return created['video'] as Video;
  }

  /**
   * Sends the original by tus in pieces of `pieceBytes`; with `breakAt` the connection breaks after so many bytes, and the client
   * goes on.
   */
  async upload(
    video: Video,
    path: string,
    { pieceBytes = 64 * 1024, breakAt }: { readonly pieceBytes?: number; readonly breakAt?: number } = {},
  ): Promise<void> {
    const bytes = await readFile(path);
    const first = breakAt === undefined ? undefined : await this.#send(video, bytes, { pieceBytes, breakAt });
    await this.#send(video, bytes, { pieceBytes, uploadUrl: first });
  }

  async get({ video_id }: Pick<Video, 'video_id'>): Promise<Video> {
    return (await this.#api.expect('GET', `/videos/${video_id}`)) as unknown as Video;
  }

  async progress({ video_id }: Pick<Video, 'video_id'>): Promise<TaskProgressResponse> {
    return (await this.#api.expect('GET', `/videos/${video_id}/reprocess`)) as unknown as TaskProgressResponse;
  }

  /** Deletes it; gives the status of the answer. */
  async remove({ video_id }: Pick<Video, 'video_id'>): Promise<number> {
    return (await this.#api.call('DELETE', `/videos/${video_id}`)).status;
  }

  /** Waits until the newest run has a status of these. */
  async until(video: Pick<Video, 'video_id'>, statuses: readonly string[], withinMs = 30_000): Promise<Video> {
    let seen: Video | undefined;
    await eventually(
      async () => {
        seen = await this.get(video).catch(() => undefined); // the server may be down on purpose
        return seen !== undefined && statuses.includes(seen.status);
      },
      `${video.video_id} is ${statuses.join(' or ')}`,
      withinMs,
    ).catch(async (error: unknown) => {
      const progress = await this.progress(video).catch((why: unknown) => String(why));
      throw new Error(`${String(error)}: ${JSON.stringify(seen)}\n${JSON.stringify(progress)}`);
    });
    if (seen === undefined) throw new Error('unreachable');
    return seen;
  }

  /** Follows all jobs of the caller over the hub. */
  async watchJobs(): Promise<JobWatch> {
    const seen: HubJob[] = [];
    const hub = createHubClient({
      url: `${this.#httpUrl.replace(/^http/, 'ws')}/ws`,
      token: this.#api.token,
      WebSocket,
    });
    let ready = false;
    hub.subscribe('jobs', {
      onSnapshot: () => (ready = true),
      onChanges: (changes) => {
        for (const change of changes) if (change.kind === 'job') seen.push(change.job);
      },
    });
    await eventually(() => ready, 'the hub shows the jobs');
    return {
      of: (subject) => seen.filter((job) => job.subject === subject),
      async [Symbol.asyncDispose]() {
        hub.close();
      },
    };
  }

  /** Sends until the end or until `breakAt`; gives the upload's URL. */
  #send(
    video: Video,
    bytes: Buffer,
    { pieceBytes, breakAt, uploadUrl }: { pieceBytes: number; breakAt?: number; uploadUrl?: string | undefined },
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      const upload: Upload = new Upload(bytes, {
        endpoint: `${this.#httpUrl}/api/v1/uploads`,
        ...(uploadUrl === undefined ? {} : { uploadUrl }),
        headers: { authorization: `Bearer ${this.#api.token}` },
        metadata: { video_id: video.video_id, filename: 'test.mp4', filetype: 'video/mp4' },
        chunkSize: pieceBytes,
        retryDelays: [100, 500],
        onError: reject,
        onChunkComplete: (_size, sent) => {
          if (breakAt === undefined || sent < breakAt) return;
          upload.abort().then(() => resolve(upload.url ?? ''), reject);
        },
        onSuccess: () => resolve(upload.url ?? ''),
      });
      upload.start();
    });
  }
}
