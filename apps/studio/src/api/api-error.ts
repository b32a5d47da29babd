/** Why a call gave no answer, and how to say it to a person. */
import { assertNever } from '@millrace/result';
import { list, object, optional, text } from './wire.ts';

export type ApiError =
  /** No answer came: server down, no network, or the call took too long. */
  | { readonly kind: 'unreachable' }
  /** The token is missing, expired or revoked. */
  | { readonly kind: 'signed-out' }
  /** The server understood and said no. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly title: string;
      readonly detail: string | undefined;
      readonly issues: readonly FieldIssue[];
      /** Of a 409: the job that is in the way. */
      readonly taskId?: string | undefined;
    }
  /** The answer was not what this version of the studio reads. */
  | { readonly kind: 'unreadable'; readonly reason: string };

export interface FieldIssue {
  /** Field of the request body, such as `title`. */
  readonly field: string;
  readonly message: string;
}

const issue = object({ path: text, expected: text, got: text });
const problem = object({
  title: optional(text),
  detail: optional(text),
  errors: optional(list(issue)),
  task_id: optional(text),
});

/** Reads an error answer: a problem document (RFC 9457), or whatever else stood in its place. */
export function errorFromAnswer(status: number, body: unknown): ApiError {
  if (status === 401) return { kind: 'signed-out' };
  try {
    const { title, detail, errors = [], task_id: taskId } = problem(body, '');
    const issues = errors.map((e) => ({
      field: e.path.replace(/^(body|query|path)\./, ''),
      message: `expected ${e.expected}, got ${e.got}`,
    }));
    return {
      kind: 'refused',
      status,
      title: title ?? fallbackTitle(status),
      detail,
      issues,
      ...(taskId === undefined ? {} : { taskId }),
    };
  } catch {
    return { kind: 'refused', status, title: fallbackTitle(status), detail: undefined, issues: [] };
  }
}

/** One or two sentences that say what went wrong and what to do. */
export function errorText(error: ApiError): string {
  switch (error.kind) {
    case 'unreachable':
      return 'The server does not answer. Check that Millrace is running and that you are online, then try again.';
    case 'signed-out':
      return 'You are signed out: the sign-in has expired or was revoked. Sign in again.';
    case 'unreadable':
      return `The server's answer could not be read (${error.reason}). Reload the page; if it stays, server and studio are of different versions.`;
    case 'refused': {
      const issues = error.issues.map((i) => `${i.field}: ${i.message}`).join('; ');
      const reason = sentence(error.detail ?? error.title);
      return issues === '' ? reason : `${reason} (${issues})`;
    }
    default:
      return assertNever(error);
  }
}

function sentence(words: string): string {
  const first = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

function fallbackTitle(status: number): string {
  if (status === 403) return 'You may not do this with your role';
  if (status === 404) return 'This does not exist (any more)';
  if (status === 429) return 'Too many requests: wait a moment and try again';
  if (status >= 500) return `The server failed (HTTP ${status}): try again in a moment`;
  return `The server refused this (HTTP ${status})`;
}
