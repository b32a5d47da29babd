import type { NewStreamKey } from '../api/resources.ts';

/** A key that was just made: kept in memory only, so that a reload does not show it again. */
export interface FreshKey {
  readonly streamId: string;
  readonly key: NewStreamKey;
}
