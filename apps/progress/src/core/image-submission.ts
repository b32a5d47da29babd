/** Asking for the video of an image: may it be made, what is the job asked to do, and what becomes of the image's row. */
import type { ImageMotion } from '@millrace/api';
import type { Visibility } from '@millrace/events';
import { type IdSource, newId } from '@millrace/ids';
import { err, ok, type Result } from '@millrace/result';
import { type ImageRecord, type PictureImport, videoAsked } from './image.ts';
import { saveImage } from './image-effects.ts';
import type { ImageVideoRequest } from './image-pipeline.ts';
import type { JobDesk, Priority, Submitted } from './job-desk.ts';
import type { Transaction } from './store.ts';
import type { VideoRecord } from './video.ts';

/** What a call asks for, with its defaults. */
export interface ImageVideoWish {
  readonly motion: ImageMotion;
  readonly fill: 'crop' | 'blur';
  readonly duration_ms: number;
  readonly width: number;
  readonly height: number;
  readonly frames_per_second: number;
  readonly audio_video_id?: string | undefined;
  readonly caption?: string | undefined;
  readonly title?: string | undefined;
  readonly visibility: Visibility;
  readonly priority: Priority;
  readonly provider: string;
  readonly prompt?: string | undefined;
  readonly force: boolean;
}

export interface ImageSubmissionDeps {
  readonly desk: Pick<JobDesk, 'submit'>;
  readonly idSource: IdSource;
  /** External generators by name. */
  readonly providers: ReadonlyMap<string, string>;
  /** What opens a picture to a provider: the word for its URL, and its hash. */
  readonly newAccess: () => { readonly word: string; readonly sha256: string };
  /** Where a provider gets a picture. */
  readonly pictureUrl: (imgName: string, access: string) => string;
}

export interface ImageVideoRefusal {
  readonly kind: 'unknown-provider' | 'no-picture' | 'audio-not-usable' | 'nothing-to-go-by';
  readonly reason: string;
}

/** Name of our own animation. */
const localProvider = 'local';

/** Why the video cannot be made; undefined: it can. `audio` is the video whose sound was asked for, if the caller may reach it. */
export function refuseImageVideo(
  image: ImageRecord,
  wish: ImageVideoWish,
  providers: ReadonlyMap<string, string>,
  audio: VideoRecord | undefined,
): ImageVideoRefusal | undefined {
  const { imgName, picture } = image;
  const { provider, audio_video_id: audioId } = wish;
  if (provider !== localProvider && !providers.has(provider)) {
    const known = [localProvider, ...providers.keys()].join(', ');
    return { kind: 'unknown-provider', reason: `provider: expected one of ${known}, got ${provider}` };
  }
  if (provider === localProvider && picture === undefined) {
    return { kind: 'no-picture', reason: `${imgName} ${noPicture(image.pictureImport)}` };
  }
  if (picture === undefined && wish.prompt === undefined && image.prompt === undefined) {
    return { kind: 'nothing-to-go-by', reason: `${imgName} has neither a picture nor a prompt` };
  }
  if (audioId === undefined) return undefined;
  const usable = audio?.sourceKey !== undefined && audio.sourceState === 'ready';
  if (!usable)
    return { kind: 'audio-not-usable', reason: `audio_video_id: there is no video ${audioId} that is ready` };
  if (audio.media !== undefined && audio.media.audio === null) {
    return { kind: 'audio-not-usable', reason: `audio_video_id: ${audioId} has no sound` };
  }
  return undefined;
}

function noPicture(pending: PictureImport | undefined): string {
  if (pending === undefined) return 'was registered by name only: upload its picture first';
  if (pending.kind === 'importing') return 'waits for its picture, which is being fetched: ask again when it is ready';
  return `has no picture, as it could not be fetched (${pending.reason}): upload it, or register another URL`;
}

/** Submits the run of `image`, whose row the transaction has locked and which `refuseImageVideo` does not refuse. */
export async function submitImageVideo(
  tx: Transaction,
  deps: ImageSubmissionDeps,
  image: ImageRecord,
  wish: ImageVideoWish,
  audio: VideoRecord | undefined,
  nowMs: number,
): Promise<Submitted> {
  const jobId = newId('job', deps.idSource);
  const access = wish.provider === localProvider || image.picture === undefined ? undefined : deps.newAccess();
  const submitted = await deps.desk.submit(tx, {
    ...{ jobId, kind: 'image-video' as const, subject: image.imgName, ownerId: image.ownerId },
    ...{ priority: wish.priority, force: wish.force },
    request: requestOf(deps, image, wish, audio, jobId, access?.word),
  });
  if (submitted.kind !== 'accepted') return submitted;
  // the end of the job that was forced away may have changed the row
  const now = (wish.force ? await tx.images.get(image.imgName) : image) ?? image;
  const { force: _, ...parameters } = wish;
  const run = { taskId: jobId, parameters, accessSha256: access?.sha256 };
  await saveImage(tx, now, videoAsked(now, run, nowMs));
  return submitted;
}

function requestOf(
  { idSource, providers, pictureUrl }: ImageSubmissionDeps,
  image: ImageRecord,
  wish: ImageVideoWish,
  audio: VideoRecord | undefined,
  jobId: string,
  access: string | undefined,
): ImageVideoRequest {
  const { imgName, picture, video } = image;
  const videoId = video?.videoId ?? newId('vid', idSource);
  const asset = `videos/${videoId}/${newId('ast', idSource)}`;
  const url = providers.get(wish.provider);
  const { motion, fill, duration_ms, width, height, frames_per_second } = wish;
  return {
    ...{ img_name: imgName, asset, file: `${asset}/${fileNameOf(imgName)}` },
    video: {
      video_id: videoId,
      playback_id: video?.playbackId ?? newId('play', idSource),
      ...{ title: wish.title ?? imgName, visibility: wish.visibility, replaces: video !== undefined },
    },
    picture: picture === undefined ? null : { key: picture.key, orientation: picture.orientation },
    audio: audio?.sourceKey ?? null,
    ...{ motion, fill, duration_ms, width, height, frames_per_second, caption: wish.caption ?? null },
    provider:
      url === undefined
        ? null
        : {
            ...{ name: wish.provider, url, request_id: jobId },
            image_url: access === undefined ? null : pictureUrl(imgName, access),
            prompt: wish.prompt ?? image.prompt ?? null,
            parameters: image.parameters,
          },
  };
}

/** `sunset.jpg` -> `sunset.mp4`, short enough for a key of the media store. */
function fileNameOf(imgName: string): string {
  const dot = imgName.lastIndexOf('.');
  const stem = dot > 0 ? imgName.slice(0, dot) : imgName;
  return `${stem.slice(0, 120)}.mp4`;
}

/** `name=url,...` as a setting says it. */
export function readProviders(text: string): Result<ReadonlyMap<string, string>, string> {
  const providers = new Map<string, string>();
  for (const part of text.split(',').filter((piece) => piece.trim() !== '')) {
    const at = part.indexOf('=');
    const name = part.slice(0, at).trim();
    const url = part.slice(at + 1).trim();
    if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(name) || name === localProvider || !URL.canParse(url)) {
      return err(`expected name=url,... with names of [a-z0-9-] that are not "${localProvider}", got "${part.trim()}"`);
    }
    const { protocol, username, search, hash } = new URL(url);
    if (!/^https?:$/.test(protocol) || username !== '' || search !== '' || hash !== '') {
      return err(`expected an http or https URL without credentials, query and fragment, got that of "${name}"`);
    }
    providers.set(name, url.replace(/\/+$/, ''));
  }
  return ok(providers);
}
