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

export interface OriginalImportRows extends ImportRows {
  /** Keeps how much has come; false: the import is over. */
  moved(videoId: string, progress: ImportProgress): Promise<boolean>;
  /** Of those of the videos whose originals are on their way. */
  progressOf(videoIds: readonly string[]): Promise<ReadonlyMap<string, ImportProgress>>;
}
