import type { LiveRecord } from '@millrace/events';

/** Holding it means being the one control instance that ends lost broadcasts. */
export interface WatchSeat {
  /** Live and interrupted states, at most `limit`, if the seat is ours now; else undefined. */
  running(limit: number): Promise<readonly LiveRecord[] | undefined>;
}
