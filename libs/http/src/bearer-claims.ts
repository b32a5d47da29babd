/** What every REST API asks of an API token: that it verifies, and that its role may do what the route does. */
import type { ApiClaims, Role, TokenRefusal, TokenVerifier } from '@millrace/auth';
import { assertNever } from '@millrace/result';
import { ProblemError } from './api-app.ts';
import { problem } from './problem.ts';

export interface BearerOptions<Action extends string> {
  readonly verifier: Pick<TokenVerifier, 'verifyApiToken'>;
  readonly mayAct: (role: Role, action: Action) => boolean;
  /** Told of a token that was there and not accepted: the verifier's reason, or `role`. */
  readonly onRefused: (reason: TokenRefusal['kind'] | 'role') => void;
}

/** The claims of the token in an `Authorization` header; throws 401, 403 or 503 as a ProblemError. */
export async function bearerClaims<Action extends string>(
  authorization: string | undefined,
  action: Action,
  { verifier, mayAct, onRefused }: BearerOptions<Action>,
): Promise<ApiClaims> {
  const token = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) throw loginNeeded('expected "Authorization: Bearer <API token>"');
  const verdict = await verifier.verifyApiToken(token);
  if (!verdict.ok) {
    onRefused(verdict.error.kind);
    throw refusalOf(verdict.error);
  }
  const { role } = verdict.value;
  if (!mayAct(role, action)) {
    onRefused('role');
    const detail = `the role ${role} may not do ${action}`;
    throw new ProblemError(problem(403, 'role-not-allowed', 'Not allowed', { detail }));
  }
  return verdict.value;
}

function refusalOf(error: TokenRefusal): ProblemError {
  switch (error.kind) {
    case 'not-ready': {
      const notReady = problem(503, 'not-ready', 'Not ready', { detail: error.message });
      return new ProblemError(notReady, { 'retry-after': '1' });
    }
    case 'malformed':
    case 'bad-signature':
    case 'expired':
    case 'revoked':
    case 'wrong-audience':
    case 'wrong-stream':
      return loginNeeded(error.message, error.kind);
    default:
      return assertNever(error.kind);
  }
}

function loginNeeded(detail: string, kind?: TokenRefusal['kind']): ProblemError {
  const type = kind === undefined ? 'token-missing' : `token-${kind}`;
  const challenge = kind === undefined ? 'Bearer' : 'Bearer error="invalid_token"';
  return new ProblemError(problem(401, type, 'API token needed', { detail }), { 'www-authenticate': challenge });
}
