/** Scratch space as the job worker sees it; `outbound` implements it. */

export interface ScratchFolder {
  /** Absolute. */
  readonly path: string;
  /** Removes it with everything in it. */
  remove(): Promise<void>;
}

export interface ScratchSpace {
  /** An empty folder of its own for one lease. Throws when there can be none. */
  open(lease: string): Promise<ScratchFolder>;
  /** What every open folder takes now, bytes by lease. */
  measure(): Promise<ReadonlyMap<string, number>>;
  /** Bytes that the disk has left. */
  freeBytes(): Promise<number>;
}
