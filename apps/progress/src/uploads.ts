/** Uploads put together: the API, the locks, and the loops that finish or remove what was uploaded. */
import { type HttpMount, honoMount } from '@millrace/http';
import { newId } from '@millrace/ids';
import { Background, Scope } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { MediaStore } from '@millrace/media-store';
import type { Sql } from '@millrace/postgres';
import type { ProgressSettings } from './config.ts';
import type { RouteDeps } from './inbound/api-context.ts';
import { createUploadApi } from './inbound/upload-api.ts';
import { UploadJoiner } from './inbound/upload-joiner.ts';
import { UploadLocker } from './inbound/upload-locker.ts';
import { runUploadSweeper } from './inbound/upload-sweeper.ts';
import { uploadsPath } from './inbound/video-routes.ts';
import type { ProgressMetrics } from './metrics.ts';
import { createUploadLocks } from './outbound/upload-locks.ts';

export interface UploadsOptions {
  readonly routes: RouteDeps;
  readonly settings: ProgressSettings;
  readonly sql: Sql;
  readonly mediaStore: MediaStore;
  readonly log: Logger;
  readonly metrics: ProgressMetrics;
}

export interface Uploads extends AsyncDisposable {
  readonly mount: HttpMount;
}

const hourMs = 3_600_000;

/** Opens uploads; its loops run until it is closed. */
export function openUploads({ routes, settings, sql, mediaStore, log, metrics }: UploadsOptions): Uploads {
  const { store, clock, idSource, desk } = routes;
  const scope = new Scope({ onError: (step, error) => log.warn('close-failed', { step, error }) });
  const restMs = settings.PROGRESS_UPLOAD_HOURS * hourMs;
  const newToken = () => newId('evt', idSource).slice(4);
  const locks = createUploadLocks(sql);
  const locker = new UploadLocker({ locks, clock, log, newToken });
  const joiner = new UploadJoiner({ store, mediaStore, desk, idSource, clock, log, metrics, restMs });
  const loop = (name: string, run: (signal: AbortSignal) => Promise<void>) => {
    scope.use(new Background(run, (error) => log.error('loop-crashed', { loop: name, error })), name);
  };
  loop('upload-locks', (signal) => locker.run(signal));
  loop('upload-sweeper', (signal) => runUploadSweeper({ store, mediaStore, locks, clock, log, metrics }, signal));
  loop('upload-joiner', (signal) => joiner.loop.run(signal));
  const app = createUploadApi(
    {
      ...{ ...routes, mediaStore, locker, uploadMetrics: metrics, onReceived: () => joiner.loop.wake() },
      uploadLimits: {
        maxBytes: settings.PROGRESS_MAX_UPLOAD_BYTES,
        maxOwnerBytes: settings.PROGRESS_MAX_OWNER_BYTES,
        maxUploads: settings.PROGRESS_MAX_UPLOADS,
        maxVideosPerOwner: settings.PROGRESS_MAX_VIDEOS,
        restMs,
      },
    },
    log,
  );
  return {
    // a body may take as long as the line needs
    mount: { ...honoMount(uploadsPath, app), holdsAnswers: true, takesLongBodies: true },
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}
