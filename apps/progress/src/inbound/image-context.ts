import type { Clock } from '@millrace/clock';
import type { MediaStore } from '@millrace/media-store';
import type { ImageRoom } from '../core/image-rows.ts';
import type { ImageSubmissionDeps } from '../core/image-submission.ts';
import type { PictureImports } from '../core/picture-arrival.ts';
import type { PictureLimits } from '../core/picture-reader.ts';

/** What is asked of images: each has its own time in the histogram. */
export type ImageQuery = 'get' | 'has_video' | 'status' | 'batch' | 'list' | 'history';

/** What the routes of images need besides what every route needs. */
export interface ImageDeps extends ImageSubmissionDeps {
  readonly mediaStore: MediaStore;
  readonly limits: PictureLimits & { readonly perOwner: ImageRoom };
  /** Imports of pictures; undefined: none here. */
  readonly imports: PictureImports | undefined;
  /** A picture has come: its thumbnail is due. */
  readonly onPicture: () => void;
  readonly metrics: {
    readonly imageQueries: { observe(labels: { readonly query: ImageQuery }, seconds: number): void };
    readonly picturesRefused: { inc(labels: { readonly reason: string }): void };
  };
}

/** Runs a query of images and observes how long it took. */
export async function timed<T>(
  { clock, images }: { readonly clock: Clock; readonly images: Pick<ImageDeps, 'metrics'> },
  query: ImageQuery,
  run: () => Promise<T>,
): Promise<T> {
  const startMs = clock.monotonicMs();
  try {
    return await run();
  } finally {
    images.metrics.imageQueries.observe({ query }, (clock.monotonicMs() - startMs) / 1_000);
  }
}
