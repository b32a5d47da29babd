import type { SigningKey } from '@millrace/events';
import type { ApiClaims, PlaybackClaims } from './claims.ts';

/** A token whose signature was good once, and the key state it was checked against. */
export interface Verified {
  readonly claims: ApiClaims | PlaybackClaims;
  readonly kid: string;
  readonly key: SigningKey;
}

/** Tokens by their text, at most `capacity`: the one unused for longest goes first. */
export class VerifiedCache {
  readonly #entries = new Map<string, Verified>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(token: string): Verified | undefined {
    const entry = this.#entries.get(token);
    if (entry === undefined) return undefined;
    this.#entries.delete(token); // a Map iterates in order of insertion: putting it back makes it the youngest
    this.#entries.set(token, entry);
    return entry;
  }

  set(token: string, entry: Verified): void {
    this.#entries.delete(token);
    this.#entries.set(token, entry);
    if (this.#entries.size <= this.#capacity) return;
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.#entries.delete(oldest.value);
  }

  delete(token: string): void {
    this.#entries.delete(token);
  }
}
