import type { Subscription } from './client.ts';
import type { View } from './view.ts';

/** What a verified token allows, and the subscriptions that stand on it. */
export interface Grant {
  readonly view: View;
  readonly token: string;
  /** A playback token is for one stream; an API token has none. */
  readonly playbackId: string | undefined;
  readonly jti: string;
  readonly expiresAtMs: number;
  readonly subscriptions: Set<Subscription>;
  /** Forgets it at its client. */
  readonly drop: () => void;
}

/** Every grant in use, found by token id when one is revoked. */
export class GrantBook {
  readonly #byToken = new Map<string, Set<Grant>>();

  add(grant: Grant): void {
    const grants = this.#byToken.get(grant.jti) ?? new Set();
    this.#byToken.set(grant.jti, grants.add(grant));
  }

  remove(grant: Grant): void {
    const grants = this.#byToken.get(grant.jti);
    grants?.delete(grant);
    if (grants?.size === 0) this.#byToken.delete(grant.jti);
  }

  of(jti: string): readonly Grant[] {
    return [...(this.#byToken.get(jti) ?? [])];
  }

  *all(): Generator<Grant> {
    for (const grants of this.#byToken.values()) yield* grants;
  }

  /** Those that have expired at `nowMs` (wall clock, as tokens have it). */
  expired(nowMs: number): readonly Grant[] {
    return [...this.all()].filter((grant) => grant.expiresAtMs <= nowMs);
  }
}
