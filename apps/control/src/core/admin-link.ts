/** How long the code of an admin link works, ms. */
export const adminLinkLifetimeMs = 3_600_000;

/** A one-time link for the owner of the installation. */
export interface AdminLink {
  readonly url: string;
  readonly expiresAtMs: number;
}
