/**
 * Who may do what. The matrix is data, so that a test can walk it; ownership comes on top: owners reach what is theirs,
 * admins reach everything, and what one may not reach does not exist for one (404, not 403).
 */
import { type Actor as AnyActor, mayActBy, type Role, type RoleMatrix } from '@millrace/auth';

/** Who calls: the claims of a verified API token. */
export interface Actor extends AnyActor {
  readonly jti: string;
  readonly expiresAtMs: number;
}

/** Roles that may take each action. An action is the operation id of a route. */
const matrix = {
  getMe: ['admin', 'broadcaster', 'analyst', 'viewer'],
  listStreams: ['admin', 'broadcaster', 'analyst', 'viewer'],
  getStream: ['admin', 'broadcaster', 'analyst', 'viewer'],
  createStream: ['admin', 'broadcaster'],
  updateStream: ['admin', 'broadcaster'],
  deleteStream: ['admin', 'broadcaster'],
  listStreamKeys: ['admin', 'broadcaster'],
  createStreamKey: ['admin', 'broadcaster'],
  rotateStreamKey: ['admin', 'broadcaster'],
  revokeStreamKey: ['admin', 'broadcaster'],
  createPlaybackToken: ['admin', 'broadcaster', 'viewer'],
  createVideoPlaybackToken: ['admin', 'broadcaster', 'viewer'],
  listTokens: ['admin', 'broadcaster', 'analyst', 'viewer'],
  createToken: ['admin', 'broadcaster', 'analyst'],
  revokeToken: ['admin', 'broadcaster', 'analyst', 'viewer'],
} as const satisfies RoleMatrix<string>;

export type Action = keyof typeof matrix;

/** Whether `role` may take `action` at all. */
export const mayAct = mayActBy(matrix);

/** Whether the actor may hand out a token of `role`: its own, or one that can only watch; an admin any. */
export function mayGrant(actor: Actor, role: Role): boolean {
  return actor.role === 'admin' || role === actor.role || role === 'viewer';
}
