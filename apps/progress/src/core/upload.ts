/**
 * Resumable uploads: what may be uploaded, and how bytes become parts. A part is an object of the media store; the parts of an
 * upload follow each other without gaps, and what the database says of them is what there is.
 */
import { err, ok, type Result } from '@millrace/result';

/** Largest part, bytes. */
export const largestPart = 8 * 1024 * 1024;
/**
 * A last part smaller than this is written again together with what follows it, so that however small the pieces in which a
 * client sends, an upload has at most one part for each of these bytes.
 */
export const smallestPart = 1024 * 1024;

/** receiving -> joining (every byte is here) -> done | failed. */
export type UploadState = 'receiving' | 'joining' | 'done' | 'failed';

/** An upload as it is stored. Times are ms since 1970. */
export interface UploadRecord {
  readonly uploadId: string;
  readonly videoId: string;
  readonly ownerId: string;
  readonly sizeBytes: number;
  readonly receivedBytes: number;
  readonly state: UploadState;
  /** As the client gave it. */
  readonly metadata: Readonly<Record<string, string | null>>;
  /** How often joining the parts was tried. */
  readonly tries: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface UploadPart {
  readonly startByte: number;
  readonly sizeBytes: number;
  readonly key: string;
}

/** The first byte without a part; undefined: there is none. */
export function firstGap(parts: readonly UploadPart[], sizeBytes: number): number | undefined {
  let at = 0;
  for (const part of parts) {
    if (part.startByte !== at) return at;
    at += part.sizeBytes;
  }
  return at === sizeBytes ? undefined : at;
}

/** Folder of an upload's parts in the media store, ending in `/`. */
export function partsPrefix(uploadId: string): string {
  return `uploads/${uploadId}/`;
}

/** Key of a part. The random end keeps a writer that lost its lock from replacing what another wrote at the same place. */
export function partKey(uploadId: string, startByte: number, random: string): string {
  return `${partsPrefix(uploadId)}${String(startByte).padStart(15, '0')}-${random}`;
}

/** What an upload is for: a video that waits for its original, or a new one. */
export type UploadTarget =
  | { readonly kind: 'video'; readonly videoId: string }
  | {
      readonly kind: 'new';
      readonly title: string;
      readonly language: string | undefined;
      readonly visibility: 'public' | 'private';
      readonly process: boolean;
    };

const languagePattern = /^[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*$/;
const videoIdPattern = /^vid_[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/** Reads `Upload-Metadata`. The error says which entry was wrong and what was expected of it. */
export function parseUploadTarget(
  metadata: Readonly<Record<string, string | null>>,
): Result<UploadTarget, { readonly kind: 'bad-metadata'; readonly message: string }> {
  const bad = (message: string) => err({ kind: 'bad-metadata' as const, message });
  const { video_id: videoId } = metadata;
  if (videoId !== undefined) {
    if (videoId !== null && videoIdPattern.test(videoId)) return ok({ kind: 'video', videoId });
    return bad('video_id: expected the id of a video');
  }
  const title = metadata['title'] ?? metadata['filename'];
  if (title === undefined || title === null || title === '' || title.length > 200 || hasControls(title)) {
    return bad('expected video_id, or a title (else a filename) of 1 to 200 characters without control characters');
  }
  const language = metadata['language'] ?? undefined;
  if (language !== undefined && (language.length > 35 || !languagePattern.test(language))) {
    return bad('language: expected a BCP 47 language tag');
  }
  const visibility = metadata['visibility'] ?? 'public';
  if (visibility !== 'public' && visibility !== 'private') return bad('visibility: expected public or private');
  const process = metadata['process'] ?? 'true';
  if (process !== 'true' && process !== 'false') return bad('process: expected true or false');
  return ok({ kind: 'new', title, language, visibility, process: process === 'true' });
}

function hasControls(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\u007f');
}
