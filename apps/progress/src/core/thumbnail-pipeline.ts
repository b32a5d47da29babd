/** The pipeline of kind `thumbnail`: one task of a worker, which makes a small copy of an image's picture. */
import type { Picture } from './image.ts';
import type { JobPlan, Pipeline } from './pipeline.ts';

/** What a `thumbnail` job is asked to do. */
export interface ThumbnailRequest {
  readonly picture: Picture;
  /** Key of what is made. */
  readonly thumbnail: string;
}

/** Key of the only task. */
export const thumbnailTask = 'thumbnail';
/** Longer side at most, pixels: two for each of the widest card of a list. */
const side = 640;

export const thumbnailPipeline: Pipeline<ThumbnailRequest> = {
  kind: 'thumbnail',
  plan({ picture, thumbnail: output }): JobPlan {
    const { key: image, contentType: content_type, width, height, orientation } = picture;
    return {
      steps: [{ name: 'thumbnail', weight: 100, phase: 'making the thumbnail' }],
      tasks: [
        {
          ...{ key: thumbnailTask, step: 'thumbnail', share: 1, after: [] },
          spec: { kind: 'thumbnail', image, content_type, width, height, orientation, side, output },
        },
      ],
    };
  },
  advance: () => ({ tasks: [], skipped: [] }),
};

/** The request of a `thumbnail` job as it was kept. Throws on one that no image submitted (a bug). */
export function thumbnailRequestOf(request: unknown): ThumbnailRequest {
  if (typeof request === 'object' && request !== null && 'picture' in request && 'thumbnail' in request) {
    return request as ThumbnailRequest; // written by `submitThumbnail`, kept as it was
  }
  throw new Error(`expected the request of a thumbnail job, got ${JSON.stringify(request)?.slice(0, 100)}`);
}

/** Where the thumbnail of a picture is, made or not. A picture is never replaced, so neither is its thumbnail. */
export function thumbnailKeyOf(picture: Pick<Picture, 'key'>): string {
  return `${picture.key}.webp`;
}
