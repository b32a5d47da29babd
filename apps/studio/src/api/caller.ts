/** One call of /api/v1: its token, its deadline, its answer as a Result. Nothing here touches the page or storage. */
import { err, ok, type Result } from '@millrace/result';
import { type ApiError, errorFromAnswer } from './api-error.ts';
import { type Reader, WireMismatch } from './wire.ts';

export type Answer<T> = Promise<Result<T, ApiError>>;

export interface CallerDeps {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** The bearer token to send, if there is one. */
  readonly token: () => string | undefined;
  /** Called when a call that sent a token was answered with 401. */
  readonly onSignedOut?: () => void;
  /** Longest wait for an answer, ms. */
  readonly timeoutMs?: number;
}

export interface Call<T> {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** Sent as it is, in place of a JSON body. */
  readonly file?: Blob;
  /** A repeated call with the same key gets the first one's answer. */
  readonly idempotencyKey?: string;
  readonly read: Reader<T>;
  readonly signal?: AbortSignal | undefined;
  /** Sent in place of the session's token; `null` sends none. */
  readonly token?: string | null;
  /** Longest wait for the answer, ms; default: the caller's. */
  readonly timeoutMs?: number;
}

export interface Caller {
  /** Asks for JSON. */
  readonly call: <T>(call: Call<T>) => Answer<T>;
  /** Asks for a file; the answer's bytes are held in memory. */
  readonly download: (path: string, signal?: AbortSignal) => Answer<Blob>;
}

/** Calls of the API on this origin. */
export function createCaller(deps: CallerDeps): Caller {
  interface Ask<T> extends Omit<Call<T>, 'read' | 'timeoutMs'> {
    readonly timeoutMs: number;
    readonly accept: string;
    readonly take: (response: Response) => Promise<T>;
  }

  /** The answer with its body taken, or why there is none; refusals included. */
  async function ask<T>(one: Ask<T>): Answer<T> {
    const { method = 'GET', path, body, file, signal, token, timeoutMs, accept, take } = one;
    const bearer = token === undefined ? deps.token() : (token ?? undefined);
    const headers: Record<string, string> = { accept };
    if (bearer !== undefined) headers['authorization'] = `Bearer ${bearer}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (one.idempotencyKey !== undefined) headers['idempotency-key'] = one.idempotencyKey;
    if (file !== undefined) headers['content-type'] = file.type;
    const sent = file ?? (body === undefined ? undefined : JSON.stringify(body));
    const wait = deadline(timeoutMs, signal);
    try {
      const response = await deps.fetch(`/api/v1${path}`, {
        method,
        headers,
        signal: wait.signal,
        cache: 'no-store',
        ...(sent === undefined ? {} : { body: sent }),
      });
      const { status } = response;
      if (status >= 200 && status < 300) return ok(await take(response));
      const refusal = errorFromAnswer(status, parseJson(await response.text()));
      if (status === 401 && bearer !== undefined && token === undefined) deps.onSignedOut?.();
      return err(refusal);
    } catch {
      return err({ kind: 'unreachable' });
    } finally {
      wait.clear();
    }
  }

  return {
    call: async ({ read, timeoutMs = deps.timeoutMs ?? 15_000, ...call }) => {
      const take = async (response: Response) => parseJson(await response.text());
      const answer = await ask({ ...call, timeoutMs, accept: 'application/json', take });
      if (!answer.ok) return answer;
      try {
        return ok(read(answer.value, ''));
      } catch (error) {
        if (error instanceof WireMismatch) return err({ kind: 'unreadable', reason: error.message });
        throw error;
      }
    },
    // An export may take as long as its data are many.
    download: (path, signal) =>
      ask({ path, signal, timeoutMs: 300_000, accept: '*/*', take: (response) => response.blob() }),
  };
}

/** Aborts after `ms` or with `outer`. By hand, because the watch page also serves browsers without AbortSignal.any. */
function deadline(ms: number, outer: AbortSignal | undefined): { readonly signal: AbortSignal; clear(): void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = setTimeout(abort, ms);
  if (outer?.aborted) abort();
  outer?.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', abort);
    },
  };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
