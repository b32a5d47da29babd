/**
 * Who may do what. A service's matrix is data, so that a test can walk it; ownership comes on top: owners reach what is theirs,
 * admins reach everything, and what one may not reach does not exist for one (404, not 403).
 */
import type { Role } from './claims.ts';

/** Who calls: the claims of a verified API token. */
export interface Actor {
  readonly ownerId: string;
  readonly role: Role;
}

/** Roles that may take each action. An action is the operation id of a route. */
export type RoleMatrix<Action extends string> = Readonly<Record<Action, readonly Role[]>>;

/** Makes of a matrix the question whether a role may take an action at all. */
export function mayActBy<Action extends string>(matrix: RoleMatrix<Action>): (role: Role, action: Action) => boolean {
  return (role, action) => matrix[action].includes(role);
}

/** The owner whose resources the actor is confined to; undefined for an admin, who sees all. */
export function confinedTo(actor: Actor): string | undefined {
  return actor.role === 'admin' ? undefined : actor.ownerId;
}
