/** Typed calls to /api/v1. Expected failures come back as a Result; nothing here touches the page or storage. */
import { type CallerDeps, createCaller } from './caller.ts';
import * as resources from './resources.ts';
import type { Reader } from './wire.ts';

const nothing: Reader<void> = () => undefined;

export type ApiClient = ReturnType<typeof createApiClient>;

/** A client of the API on this origin. */
export function createApiClient(deps: CallerDeps) {
  const caller = createCaller(deps);
  const { call } = caller;
  const stream = (id: string) => `/streams/${encodeURIComponent(id)}`;
  return {
    /** For the calls of parts that are loaded later. */
    caller,
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
