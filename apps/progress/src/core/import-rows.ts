/** An original on its way from a URL. */
export interface ImportRecord {
  readonly videoId: string;
  readonly ownerId: string;
  readonly url: string;
  /** How often it was tried, this time included. */
  readonly tries: number;
}

export interface ImportRows {
  add(wish: Pick<ImportRecord, 'videoId' | 'ownerId' | 'url'>, nowMs: number): Promise<void>;
  /** Counts a try and puts off the next one. Gives an import whose turn it is; undefined: none. */
  take(nowMs: number, nextTryAtMs: number): Promise<ImportRecord | undefined>;
  /** Puts off the next try; false: the import is over, as when its video was deleted. */
  putOff(videoId: string, nextTryAtMs: number): Promise<boolean>;
  remove(videoId: string): Promise<void>;
}
