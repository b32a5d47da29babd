import type { UploadPart } from './upload.ts';

/** Something on its way from a URL: the original of a video, or the picture of an image. */
export interface ImportRecord {
  /** Id of the video, or name of the image. */
  readonly subject: string;
  readonly ownerId: string;
  readonly url: string;
  /** How often it was tried, this time included. */
  readonly tries: number;
}

/** What is to be fetched; originals and pictures each have a list of their own. */
export interface ImportRows {
  add(wish: Pick<ImportRecord, 'subject' | 'ownerId' | 'url'>, nowMs: number): Promise<void>;
  /** Counts a try and puts off the next one. Gives an import whose turn it is; undefined: none. */
  take(nowMs: number, nextTryAtMs: number): Promise<ImportRecord | undefined>;
  /** Puts off the next try; false: the import is over, as when its subject was deleted. */
  putOff(subject: string, nextTryAtMs: number): Promise<boolean>;
  remove(subject: string): Promise<void>;
}

/** How much of an original has come. */
export interface ImportProgress {
  readonly receivedBytes: number;
  /** Undefined: its server did not say. */
  readonly totalBytes: number | undefined;
}

/** Folder of all that is kept of an import, in the media store, ending in `/`. */
export function importPrefix(videoId: string): string {
  return `imports/${videoId}/`;
}

/** One version of a file, as its server names it, and where what comes of it is kept. */
export interface ImportVersion {
  /** For If-Range. */
  readonly validator: string;
  /** Undefined: its server did not say. */
  readonly totalBytes: number | undefined;
  /** Below `importPrefix`, without the final slash; another one for every beginning. */
  readonly folder: string;
}

/** What is kept of an original: parts that follow each other from byte 0. */
export interface KeptImport extends ImportVersion {
  readonly parts: readonly UploadPart[];
  /** Of all parts. */
  readonly keptBytes: number;
}

export interface OriginalImportRows extends ImportRows {
  /** Undefined: nothing. */
  kept(videoId: string): Promise<KeptImport | undefined>;
  /** Begins to keep a version, instead of what is kept in folder `before`; false: somebody else did, or the import is over. */
  keep(videoId: string, before: string | undefined, version: ImportVersion | undefined): Promise<boolean>;
  /**
   * Adds the part that follows what is kept in `folder`; false: somebody else did, or the import is over. `moves`: it is worth as many tries
   * as there were at first.
   */
  addPart(videoId: string, folder: string, part: UploadPart, moves: boolean): Promise<boolean>;
  /** Keeps how much has come; false: the import is over. */
  moved(videoId: string, progress: ImportProgress): Promise<boolean>;
  /** Of those of the videos whose originals are on their way. */
  progressOf(videoIds: readonly string[]): Promise<ReadonlyMap<string, ImportProgress>>;
}
