/** Typed calls to /api/v1. Expected failures come back as a Result; nothing here touches the page or storage. */
import { err, ok, type Result } from '@millrace/result';
import { type ApiError, errorFromAnswer } from './api-error.ts';
import * as resources from './resources.ts';
import { type Reader, WireMismatch } from './wire.ts';

export type Answer<T> = Promise<Result<T, ApiError>>;

export interface ApiClientDeps {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** The bearer token to send, if there is one. */
  readonly token: () => string | undefined;
  /** Called when a call that sent a token was answered with 401. */
  readonly onSignedOut?: () => void;
  /** Longest wait for an answer, ms. */
  readonly timeoutMs?: number;
}

interface Call<T> {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly read: Reader<T>;
  readonly signal?: AbortSignal | undefined;
  /** Sent in place of the session's token; `null` sends none. */
  readonly token?: string | null;
}

const nothing: Reader<void> = () => undefined;

export type ApiClient = ReturnType<typeof createApiClient>;

/** A client of the API on this origin. */
export function createApiClient(deps: ApiClientDeps) {
  async function call<T>({ method = 'GET', path, body, read, signal, token }: Call<T>): Answer<T> {
    const bearer = token === undefined ? deps.token() : (token ?? undefined);
    const headers: Record<string, string> = { accept: 'application/json' };
    if (bearer !== undefined) headers['authorization'] = `Bearer ${bearer}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    const wait = deadline(deps.timeoutMs ?? 15_000, signal);
    let status: number;
    let answer: unknown;
    try {
      const response = await deps.fetch(`/api/v1${path}`, {
        method,
        headers,
        signal: wait.signal,
        cache: 'no-store',
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      status = response.status;
      answer = parseJson(await response.text());
    } catch {
      return err({ kind: 'unreachable' });
    } finally {
      wait.clear();
    }
    if (status >= 200 && status < 300) {
      try {
        return ok(read(answer, ''));
      } catch (error) {
        if (error instanceof WireMismatch) return err({ kind: 'unreadable', reason: error.message });
        throw error;
      }
    }
    if (status === 401 && bearer !== undefined && token === undefined) deps.onSignedOut?.();
    return err(errorFromAnswer(status, answer));
  }

  const stream = (id: string) => `/streams/${encodeURIComponent(id)}`;
  return {
    signIn: (code: string) =>
      call({ method: 'POST', path: '/sign-ins', body: { code }, read: resources.readSignIn, token: null }),
    /** Who `token` belongs to. */
    me: (token: string) => call({ path: '/me', read: resources.readMe, token }),

    listStreams: (cursor?: string, signal?: AbortSignal) =>
      call({
        path: `/streams?limit=50${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
        read: resources.readStreamPage,
        signal,
      }),
    createStream: (body: resources.StreamDraft) =>
      call({ method: 'POST', path: '/streams', body, read: resources.readStream }),
    getStream: (id: string, signal?: AbortSignal) =>
      call({ path: stream(id), read: resources.readStreamDetail, signal }),
    updateStream: (id: string, body: Partial<resources.StreamDraft>) =>
      call({ method: 'PATCH', path: stream(id), body, read: resources.readStream }),
    deleteStream: (id: string) => call({ method: 'DELETE', path: stream(id), read: nothing }),

    listKeys: (id: string, signal?: AbortSignal) =>
      call({ path: `${stream(id)}/keys?limit=100`, read: resources.readKeys, signal }),
    createKey: (id: string, label: string) =>
      call({ method: 'POST', path: `${stream(id)}/keys`, body: { label }, read: resources.readNewKey }),
    /** A new key; the old one is accepted for `overlapS` seconds more. */
    rotateKey: (id: string, keyId: string, overlapS: number) =>
      call({
        method: 'POST',
        path: `${stream(id)}/keys/${encodeURIComponent(keyId)}/rotate`,
        body: { overlap_s: overlapS },
        read: resources.readNewKey,
      }),
    revokeKey: (id: string, keyId: string) =>
      call({ method: 'DELETE', path: `${stream(id)}/keys/${encodeURIComponent(keyId)}`, read: nothing }),
    createPlaybackToken: (id: string, expiresInS: number) =>
      call({
        method: 'POST',
        path: `${stream(id)}/playback-tokens`,
        body: { expires_in_s: expiresInS },
        read: resources.readPlaybackToken,
      }),

    listTokens: (signal?: AbortSignal) => call({ path: '/tokens?limit=100', read: resources.readTokens, signal }),
    createToken: (label: string, role: resources.Role, expiresInS: number | undefined) =>
      call({
        method: 'POST',
        path: '/tokens',
        body: { label, role, ...(expiresInS === undefined ? {} : { expires_in_s: expiresInS }) },
        read: resources.readNewToken,
      }),
    revokeToken: (id: string) => call({ method: 'DELETE', path: `/tokens/${encodeURIComponent(id)}`, read: nothing }),

    /** What the public page needs; `token` is the playback token of a private stream. */
    watch: (playbackId: string, token: string | undefined, signal?: AbortSignal) =>
      call({
        path: `/watch/${encodeURIComponent(playbackId)}${token === undefined ? '' : `?token=${encodeURIComponent(token)}`}`,
        read: resources.readWatchInfo,
        token: null,
        signal,
      }),
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
