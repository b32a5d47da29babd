import { describe, expect, it } from 'vitest';
import { createApiClient } from './client.ts';

interface Sent {
  readonly url: string;
  readonly init: RequestInit;
}

/** A client whose server gives one answer; `sent` records what was asked. */
function clientOf(answer: Response | Error, token?: string) {
  const sent: Sent[] = [];
  let signedOut = 0;
  const client = createApiClient({
    fetch: async (url, init) => {
      sent.push({ url, init });
      if (answer instanceof Error) throw answer;
      return answer;
    },
    token: () => token,
    onSignedOut: () => {
      signedOut += 1;
    },
  });
  return { client, sent, signedOut: () => signedOut };
}
const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
const newKey = {
  id: 'key_1',
  label: 'OBS',
  last4: 'wxyz',
  created_at: '2026-01-01T00:00:00Z',
  last_used_at: null,
  expires_at: null,
  revoked_at: null,
  key: 'mk_abc',
};

describe('the API client', () => {
  it('sends the token and the body, and gives what came, checked', async () => {
    const { client, sent } = clientOf(json(201, newKey), 'tok');
    expect(await client.createKey('str_1', 'OBS')).toEqual({ ok: true, value: newKey });
    expect(sent[0]?.url).toBe('/api/v1/streams/str_1/keys');
    expect(sent[0]?.init).toMatchObject({ method: 'POST', body: '{"label":"OBS"}' });
    expect(sent[0]?.init.headers).toMatchObject({ authorization: 'Bearer tok' });
  });

  it('never sends the session to the sign-in and the watch page', async () => {
    const { client, sent } = clientOf(json(404, {}), 'tok');
    await client.signIn('code');
    await client.watch('play_1', 'a/b');
    for (const { init } of sent) expect(init.headers).not.toHaveProperty('authorization');
    expect(sent[1]?.url).toBe('/api/v1/watch/play_1?token=a%2Fb');
  });

  it('escapes ids in paths', async () => {
    const { client, sent } = clientOf(json(404, {}), 'tok');
    await client.getStream('../tokens');
    expect(sent[0]?.url).toBe('/api/v1/streams/..%2Ftokens');
  });

  it('reports a lost network as unreachable', async () => {
    const { client } = clientOf(new TypeError('fetch failed'));
    expect(await client.listStreams()).toEqual({ ok: false, error: { kind: 'unreachable' } });
  });

  it('reports an answer of another shape with the place where it differs', async () => {
    const { client } = clientOf(json(200, { items: [{ id: 1 }], next_cursor: null }), 'tok');
    expect(await client.listStreams()).toEqual({
      ok: false,
      error: { kind: 'unreadable', reason: 'items[0].id: expected a text, got 1' },
    });
  });

  it('accepts an empty answer where none is expected', async () => {
    const { client } = clientOf(new Response(null, { status: 204 }), 'tok');
    expect(await client.deleteStream('str_1')).toEqual({ ok: true, value: undefined });
  });

  it('signs out when the session is refused, but not when a code or a pasted token is', async () => {
    const session = clientOf(json(401, {}), 'tok');
    await session.client.listStreams();
    expect(session.signedOut()).toBe(1);
    const other = clientOf(json(401, {}), 'tok');
    await other.client.signIn('code');
    await other.client.me('pasted');
    expect(other.signedOut()).toBe(0);
  });

  it('gives up on a server that never answers', async () => {
    const client = createApiClient({
      fetch: (_url, init) =>
        new Promise((_resolve, reject) => init.signal?.addEventListener('abort', () => reject(new Error('aborted')))),
      token: () => undefined,
      timeoutMs: 5,
    });
    expect(await client.listStreams()).toEqual({ ok: false, error: { kind: 'unreachable' } });
  });

  it('stops waiting when the caller goes away', async () => {
    const gone = new AbortController();
    gone.abort();
    const client = createApiClient({
      fetch: (_url, init) =>
        init.signal?.aborted ? Promise.reject(new Error('aborted')) : new Promise(() => undefined),
      token: () => undefined,
    });
    expect(await client.getStream('str_1', gone.signal)).toMatchObject({ ok: false });
  });
});
