/** What a store in a bucket tells its metrics; all labels are of a few words. */
export interface StoreObserver {
  /** A request got its answer, or none: what was asked for (`get`, `upload-part`...), how it ended, and how long it took with retries, s. */
  requested(operation: string, outcome: string, seconds: number): void;
  /** One try failed in a way that may pass: `throttled`, `server`, `timeout` or `connection`. */
  triedInVain(reason: string): void;
  bytes(direction: 'in' | 'out', bytes: number): void;
  /** An object's bytes broke off and were asked for again from there. */
  readResumed(): void;
  /** An upload in parts was given up: `failed`, or `stale` when it was somebody's who is gone. */
  uploadAborted(reason: 'failed' | 'stale'): void;
}

export const noStoreObserver: StoreObserver = {
  requested: () => {},
  triedInVain: () => {},
  bytes: () => {},
  readResumed: () => {},
  uploadAborted: () => {},
};
