/** Who may ask what. Owners see what is theirs, admins everything; what one may not see does not exist for one. */
import type { Role } from '@millrace/auth';

/** Who calls: the claims of a verified API token. */
export interface Actor {
  readonly ownerId: string;
  readonly role: Role;
}

const readers = ['admin', 'broadcaster', 'analyst'] as const;
/** Roles that may take each action, an operation id. A `viewer` token is made to watch, not to look at others. */
const matrix = {
  getAnalyticsLive: readers,
  getAnalyticsSummary: readers,
  getAnalyticsTimeseries: readers,
  getAnalyticsBreakdown: readers,
  listAnalyticsSessions: readers,
  getAnalyticsIngest: readers,
  exportAnalytics: readers,
  runAnalyticsSql: ['admin', 'analyst', 'broadcaster'],
  getStreamMetrics: readers,
} as const satisfies Readonly<Record<string, readonly Role[]>>;
export type Action = keyof typeof matrix;

/** Whether `role` may take `action` at all. */
export function mayAct(role: Role, action: Action): boolean {
  const allowed: readonly Role[] = matrix[action];
  return allowed.includes(role);
}

/** The owner whose streams the actor is confined to; undefined for an admin. */
export function confinedTo(actor: Actor): string | undefined {
  return actor.role === 'admin' ? undefined : actor.ownerId;
}
