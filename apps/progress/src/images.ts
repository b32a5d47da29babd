/** Images put together: what their routes need, and the mount that takes JSON and pictures. */
import { hashSecret } from '@millrace/auth';
import { type HttpMount, honoMount } from '@millrace/http';
import type { IdSource } from '@millrace/ids';
import type { Logger } from '@millrace/log';
import type { MediaStore } from '@millrace/media-store';
import type { ProgressSettings } from './config.ts';
import type { JobDesk } from './core/job-desk.ts';
import type { PictureImports } from './core/picture-arrival.ts';
import type { RouteDeps } from './inbound/api-context.ts';
import type { ImageDeps } from './inbound/image-context.ts';
import { imagesPath } from './inbound/image-routes.ts';
import { imagePath } from './inbound/image-view.ts';
import type { ProgressApi } from './inbound/openapi.ts';
import { bringsPicture, createPictureApi } from './inbound/picture-api.ts';
import type { ProgressMetrics } from './metrics.ts';

export interface ImagesOptions {
  readonly settings: ProgressSettings;
  readonly mediaStore: MediaStore;
  readonly desk: JobDesk;
  readonly idSource: IdSource;
  readonly metrics: ProgressMetrics;
  readonly publicUrl: () => string;
  readonly imports: PictureImports | undefined;
  readonly onPicture: () => void;
}

/** A 200 megapixel phone is over it, and 48 megapixels are not. */
const pixelLimits = { maxSide: 16_384, maxPixels: 64_000_000 } as const;

/** What pictures may be, and how many of them. */
export function imageLimitsOf(settings: ProgressSettings): ImageDeps['limits'] {
  return {
    ...pixelLimits,
    maxBytes: settings.PROGRESS_MAX_IMAGE_BYTES,
    perOwner: { images: settings.PROGRESS_MAX_IMAGES, bytes: settings.PROGRESS_MAX_OWNER_IMAGE_BYTES },
  };
}

export function imageDepsOf({
  settings,
  mediaStore,
  desk,
  idSource,
  metrics,
  publicUrl,
  imports,
  onPicture,
}: ImagesOptions): ImageDeps {
  return {
    ...{ mediaStore, desk, idSource, metrics, imports, onPicture, providers: settings.PROGRESS_IMAGE_PROVIDERS },
    newAccess() {
      const word = Buffer.from(idSource.random(new Uint8Array(32))).toString('base64url');
      return { word, sha256: hashSecret(word) };
    },
    pictureUrl: (imgName, access) => `${publicUrl()}${imagePath(imgName)}/source?access=${access}`,
    limits: imageLimitsOf(settings),
  };
}

/** `/api/v1/images`: pictures go to an app of their own, everything else to the API's. */
export function openImages(routes: RouteDeps, api: ProgressApi, log: Logger) {
  const pictures = createPictureApi(routes, log);
  const fetch = (request: Request, env?: unknown) => (bringsPicture(request) ? pictures : api.app).fetch(request, env);
  const mount: HttpMount = honoMount(imagesPath, { fetch });
  return { mount, fetch };
}
