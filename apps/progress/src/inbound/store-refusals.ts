import type { StoreFailure } from '@millrace/media-store';

/** Why an object was not stored, for the owner; `what` it is: `original`, `picture`. */
export function whyNotStored({ kind }: StoreFailure, what: string): string {
  return kind === 'full' ? `no space was left to store the ${what}` : `the media store did not take the ${what}`;
}
