/** Videos in words. */
import { statusWords } from '../jobs/live-progress.ts';
import type { JobStatus } from '../routing/media-view.ts';
import type { Video } from './video-resources.ts';

export interface Badge {
  readonly words: string;
  readonly tone: 'plain' | 'good' | 'warn' | 'bad';
}

/** What a video is at the moment, in one or two words. */
export function videoBadge(video: Pick<Video, 'source_state' | 'current_task_id'>, status: JobStatus): Badge {
  if (video.source_state === 'uploading') return { words: 'Waiting for its file', tone: 'warn' };
  if (video.source_state === 'importing') return { words: 'Importing', tone: 'plain' };
  if (video.source_state === 'failed') return { words: 'No original', tone: 'bad' };
  if (status === 'pending' && video.current_task_id === null) return { words: 'Not processed', tone: 'plain' };
  return { words: statusWords[status], tone: toneOf[status] };
}

const toneOf: Readonly<Record<JobStatus, Badge['tone']>> = {
  pending: 'plain',
  processing: 'plain',
  completed: 'good',
  failed: 'bad',
  cancelled: 'warn',
};

export const originWords: Readonly<Record<Video['origin'], string>> = {
  upload: 'Uploaded',
  import: 'Imported',
  composition: 'Composed',
  image: 'From an image',
  recording: 'Recorded',
};

/** Steps of the pipelines, as people call them. */
export function stepWords(name: string): string {
  const words: Readonly<Record<string, string>> = {
    probe: 'Read the file',
    audio: 'Sound',
    subtitles: 'Subtitles',
    poster: 'Poster and storyboard',
    ladder: 'Encode the renditions',
    publish: 'Publish',
    inspect: 'Look at the inputs',
    normalise: 'Bring the inputs to one format',
    join: 'Join',
    animate: 'Draw the frames',
  };
  return words[name] ?? name;
}

/** What to do about a failure, where that is known; empty where it is not. */
export function adviceFor(code: string): string {
  if (/source/.test(code)) return 'Upload the file again, or check the address that it was imported from.';
  if (/codec|format|media|invalid|probe|unreadable/.test(code)) {
    return 'Check that the file plays elsewhere, or export it anew as MP4 with H.264 and AAC.';
  }
  if (/limit|long|large|pixels|duration/.test(code)) return 'Make it shorter or smaller, or ask for a higher limit.';
  if (/lapsed|worker|retry|attempts|internal/.test(code)) return 'This may pass: process it again.';
  return '';
}

const tags = [
  'en',
  'de',
  'fr',
  'es',
  'it',
  'pt',
  'nl',
  'pl',
  'sv',
  'da',
  'cs',
  'uk',
  'tr',
  'ar',
  'hi',
  'ja',
  'ko',
  'zh',
];

/** Languages to choose from, by name; a video's own is always among them. */
export function languageChoices(own: string | null): readonly { readonly tag: string; readonly name: string }[] {
  const all = own === null || tags.includes(own) ? tags : [own, ...tags];
  return all.map((tag) => ({ tag, name: languageName(tag) }));
}

/** `German` for `de`; a tag that nobody knows stays as it is. */
export function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames(['en'], { type: 'language' }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}
