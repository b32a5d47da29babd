/** With whose eyes a channel is seen. Subscribers with equal eyes share every message. */
import type { ApiClaims } from '@millrace/auth';

export type View =
  /** No token: public streams. */
  | { readonly kind: 'public' }
  /** A playback token: one stream, private or not, as the public would see it. */
  | { readonly kind: 'ticket' }
  | { readonly kind: 'owner'; readonly ownerId: string }
  | { readonly kind: 'admin' };

/** Text that is equal for equal views. */
export function viewKey(view: View): string {
  return view.kind === 'owner' ? `owner:${view.ownerId}` : view.kind;
}

/** The view that an API token gives. */
export function viewOf(claims: Pick<ApiClaims, 'ownerId' | 'role'>): View {
  return claims.role === 'admin' ? { kind: 'admin' } : { kind: 'owner', ownerId: claims.ownerId };
}
