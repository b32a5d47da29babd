/**
 * The pipeline of kind `image-video`: one task, which draws the motion with ffmpeg or asks an external generator, and leaves an MP4
 * and an asset that plays.
 */
import type { ImageMotion, SpecOf } from '@millrace/api';
import type { Visibility } from '@millrace/events';
import type { JobPlan, Pipeline } from './pipeline.ts';

/** What an `image-video` job is asked to do: made when it is submitted, kept with the job. */
export interface ImageVideoRequest {
  readonly img_name: string;
  /** Folder to publish into, and the MP4 in it: `videos/{video_id}/{asset id}/{name}.mp4`. */
  readonly asset: string;
  readonly file: string;
  readonly video: {
    readonly video_id: string;
    readonly playback_id: string;
    readonly title: string;
    readonly visibility: Visibility;
    /** The video is there already and gets this run's asset. */
    readonly replaces: boolean;
  };
  readonly picture: { readonly key: string; readonly orientation: number } | null;
  /** Key of a file whose sound is played under the picture. */
  readonly audio: string | null;
  readonly motion: ImageMotion;
  readonly fill: 'crop' | 'blur';
  readonly duration_ms: number;
  readonly width: number;
  readonly height: number;
  readonly frames_per_second: number;
  readonly caption: string | null;
  /** Null: our own animation. */
  readonly provider: {
    readonly name: string;
    readonly url: string;
    readonly request_id: string;
    readonly image_url: string | null;
    readonly prompt: string | null;
    readonly parameters: Readonly<Record<string, unknown>>;
  } | null;
}

/** Key of the only task. */
export const renderTask = 'render';

export const imageVideoPipeline: Pipeline<ImageVideoRequest> = {
  kind: 'image-video',
  plan(request): JobPlan {
    const phase = request.provider === null ? 'animating the picture' : `waiting for ${request.provider.name}`;
    return {
      steps: [{ name: 'render', weight: 100, phase }],
      tasks: [{ key: renderTask, step: 'render', share: 1, spec: specOf(request), after: [] }],
    };
  },
  advance: () => ({ tasks: [], skipped: [] }),
};

function specOf(request: ImageVideoRequest): SpecOf<'animate'> | SpecOf<'generate'> {
  const { asset, file, audio, motion, duration_ms, width, height, frames_per_second, caption, provider } = request;
  const common = { audio, motion, duration_ms, width, height, frames_per_second, caption, output: file, asset };
  if (provider !== null) {
    const { name, url, request_id, image_url, prompt, parameters } = provider;
    const asked = { request_id, img_name: request.img_name, image_url, prompt, parameters: { ...parameters } };
    return { kind: 'generate', provider: { name, url }, ...asked, ...common };
  }
  const { picture, fill } = request;
  if (picture === null) throw new Error(`image ${request.img_name}: expected a picture to animate, got none`);
  return { kind: 'animate', image: picture.key, orientation: picture.orientation, fill, ...common };
}

/** The request of an `image-video` job as it was kept. Throws on one that no image submitted (a bug). */
export function imageVideoRequestOf(request: unknown): ImageVideoRequest {
  if (typeof request === 'object' && request !== null && 'img_name' in request && 'asset' in request) {
    return request as ImageVideoRequest; // written by `submitImageVideo`, kept as it was
  }
  throw new Error(`expected the request of an image-video job, got ${JSON.stringify(request)?.slice(0, 100)}`);
}
