/** Videos in words. */
import { languageName } from '../format/language-name.ts';
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
