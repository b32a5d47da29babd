/** The part of /api/v1 that the studio calls, in memory, with the shapes of @millrace/api. For tests of the studio only. */
import type {
  ApiToken,
  CreatedApiToken,
  CreatedStreamKey,
  HubStream,
  ProblemBody,
  Stream,
  StreamDetail,
  StreamInput,
  StreamKey,
  Watch,
} from '@millrace/api';

import { FakeAnalytics } from './fake-analytics.ts';
import { FakeHub } from './fake-hub.ts';
import { FakeMedia } from './fake-media.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly body?: unknown;
}

interface HeldStream {
  definition: Stream;
  keys: StreamKey[];
}

export const signInCode = 'one-time-code';
export const adminToken = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJvd24ifQ.c2ln';
export const playbackToken = 'playback-token';
const ownerId = 'own_01jd4000000000000000000000';
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();
const now = () => new Date().toISOString();

export class FakeApi {
  readonly streams = new Map<string, HeldStream>();
  readonly tokens: ApiToken[] = [];
  readonly hub = new FakeHub();
  readonly analytics = new FakeAnalytics();
  readonly media = new FakeMedia(this.hub);
  role: ApiToken['role'] = 'admin';
  readonly states = new Map<
    string,
    { state: StreamDetail['state']; health: StreamDetail['health']; since: string | null }
  >();
  origin = '';
  codeUsed = false;
  /** Every token is refused from now on. */
  revokedAll = false;
  /** The next calls get no answer at all. */
  unreachable = false;
  #ids = 0;

  /** A stream as if it had been created before. */
  seed(input: StreamInput): Stream {
    const id = this.#id('str');
    const definition: Stream = {
      id,
      playback_id: this.#id('play'),
      owner_id: ownerId,
      title: input.title,
      visibility: input.visibility ?? 'public',
      latency_mode: input.latency_mode ?? 'low',
      created_at: now(),
      updated_at: now(),
    };
    this.streams.set(id, { definition, keys: [] });
    this.hub.streams.set(id, this.#hubStream(definition));
    return definition;
  }

  setState(streamId: string, state: StreamDetail['state'], health: StreamDetail['health'] = null): void {
    const since = this.states.get(streamId)?.since ?? now();
    this.states.set(streamId, { state, health, since: state === 'idle' ? null : since });
    const definition = this.streams.get(streamId)?.definition;
    if (definition !== undefined) this.hub.tell(this.#hubStream(definition));
  }

  /** Forgets everything between tests. */
  clear(): void {
    Object.assign(this, { codeUsed: false, revokedAll: false, unreachable: false, role: 'admin' });
    Object.assign(this.analytics, { empty: false, away: false, live: [], streams: [] });
    this.analytics.asked.length = 0;
    this.hub.away = false;
    this.hub.asked.length = 0;
    this.hub.streams.clear();
    this.hub.jobs.clear();
    this.media.clear();
    this.streams.clear();
    this.states.clear();
    this.tokens.length = 0;
  }

  #hubStream({ id, playback_id, owner_id, title, visibility }: Stream): HubStream {
    const now = this.states.get(id);
    return {
      ...{ stream_id: id, playback_id, owner_id, title, visibility },
      state: now?.state ?? 'idle',
      live_since: now?.since ?? null,
      viewers: 0,
      health: now?.health ? { ...now.health, at_ms: Date.now() } : null,
    };
  }

  /** Answers `GET /streams/...` and so on; `path` is below /api/v1, with its query. */
  answer(method: string, path: string, body: Record<string, unknown>, authorization: string | undefined): ApiAnswer {
    const url = new URL(path, 'http://fake');
    const parts = url.pathname.split('/').filter((part) => part !== '');
    if (parts[0] === 'sign-ins') return this.#signIn(body);
    if (parts[0] === 'watch') return this.#watch(parts[1] ?? '', url.searchParams.get('token'));
    if (authorization !== `Bearer ${adminToken}` || this.revokedAll) return problem(401, 'Not signed in');
    if (parts[0] === 'me')
      return ok({ owner_id: ownerId, role: this.role, token_id: this.#id('tok'), expires_at: inAnHour() });
    if (parts[0] === 'tokens') return this.#tokens(method, parts[1], body);
    if (parts[0] === 'analytics') return this.analytics.answer(parts.slice(1).join('/'), url.searchParams);
    if (parts[0] === 'streams') return this.#streams(method, parts.slice(1), body);
    return (
      this.media.answer(method, parts.map(decodeURIComponent), url.searchParams, body) ?? problem(404, 'Not found')
    );
  }

  #signIn(body: Record<string, unknown>): ApiAnswer {
    if (body['code'] !== signInCode || this.codeUsed) return problem(401, 'The code is not valid');
    this.codeUsed = true;
    return { status: 201, body: { token: adminToken, expires_at: inAnHour(), role: this.role, owner_id: ownerId } };
  }

  #watch(playbackId: string, token: string | null): ApiAnswer {
    const held = [...this.streams.values()].find((s) => s.definition.playback_id === playbackId);
    if (held === undefined) return problem(404, 'No such stream');
    const { id, title, visibility, latency_mode } = held.definition;
    if (visibility === 'private' && token !== playbackToken) return problem(403, 'A playback token is needed');
    const state = this.states.get(id)?.state ?? 'idle';
    const hls_url = `${this.origin}/live/${playbackId}/${token === null ? '' : `${token}/`}index.m3u8`;
    return ok({ playback_id: playbackId, title, state, latency_mode, visibility, hls_url } satisfies Watch);
  }

  #tokens(method: string, id: string | undefined, body: Record<string, unknown>): ApiAnswer {
    if (method === 'GET') return ok({ items: this.tokens, next_cursor: null });
    if (method === 'DELETE') {
      this.tokens.splice(
        this.tokens.findIndex((token) => token.id === id),
        1,
      );
      return { status: 204 };
    }
    const token: ApiToken = {
      id: this.#id('tok'),
      label: String(body['label']),
      role: body['role'] as ApiToken['role'],
      owner_id: ownerId,
      created_at: now(),
      expires_at: inAnHour(),
      revoked_at: null,
    };
    this.tokens.push(token);
    return { status: 201, body: { ...token, token: 'eyJh.eyJz.secret' } satisfies CreatedApiToken };
  }

  #streams(method: string, [id, part, keyId, action]: readonly string[], body: Record<string, unknown>): ApiAnswer {
    if (id === undefined) {
      if (method === 'GET')
        return ok({ items: [...this.streams.values()].map((s) => s.definition), next_cursor: null });
      if (typeof body['title'] !== 'string' || body['title'].startsWith('!')) {
        return problem(400, 'The request is not valid', [
          { path: 'body.title', expected: 'a title', got: 'one with a !' },
        ]);
      }
      return { status: 201, body: this.seed(body as StreamInput) };
    }
    const held = this.streams.get(id);
    if (held === undefined) return problem(404, 'No such stream');
    if (part === undefined) return this.#stream(method, id, held, body);
    if (part === 'playback-tokens') return this.#playbackToken(held.definition);
    if (method === 'GET') return ok({ items: held.keys, next_cursor: null });
    const key = held.keys.find((k) => k.id === keyId);
    if (method === 'DELETE') {
      if (key !== undefined) key.revoked_at = now();
      return { status: 204 };
    }
    if (action === 'rotate' && key !== undefined) key.expires_at = inAnHour();
    const created: StreamKey = {
      id: this.#id('key'),
      label: typeof body['label'] === 'string' ? body['label'] : (key?.label ?? 'default'),
      last4: 'wxyz',
      created_at: now(),
      last_used_at: null,
      expires_at: null,
      revoked_at: null,
    };
    held.keys.push(created);
    const secret = `mk_${'a'.repeat(26)}${String(held.keys.length).padStart(2, '0')}wxyz`;
    return { status: 201, body: { ...created, key: secret } satisfies CreatedStreamKey };
  }

  #stream(method: string, id: string, held: HeldStream, body: Record<string, unknown>): ApiAnswer {
    if (method === 'DELETE') {
      this.streams.delete(id);
      return { status: 204 };
    }
    if (method === 'PATCH') {
      held.definition = { ...held.definition, ...body, updated_at: now() };
      return ok(held.definition);
    }
    const { playback_id, visibility } = held.definition;
    const live = this.states.get(id);
    const hls_url = visibility === 'public' ? `${this.origin}/live/${playback_id}/index.m3u8` : null;
    return ok({
      ...held.definition,
      state: live?.state ?? 'idle',
      live_since: live?.since ?? null,
      health: live?.health ? { ...live.health, at_ms: Date.now() } : null,
      playback: { hls_url, watch_url: `${this.origin}/watch/${playback_id}` },
      ingest: { rtmp_url: 'rtmp://stream.example.org/live', rtmps_url: 'rtmps://stream.example.org/live' },
    } satisfies StreamDetail);
  }

  #playbackToken({ playback_id }: Stream): ApiAnswer {
    const hls_url = `${this.origin}/live/${playback_id}/${playbackToken}/index.m3u8`;
    const watch_url = `${this.origin}/watch/${playback_id}?token=${playbackToken}`;
    return { status: 201, body: { token: playbackToken, expires_at: inAnHour(), hls_url, watch_url } };
  }

  #id(prefix: string): string {
    return `${prefix}_01jd4${String(this.#ids++).padStart(21, '0')}`;
  }
}

function ok(body: unknown): ApiAnswer {
  return { status: 200, body };
}

function problem(status: number, title: string, errors?: ProblemBody['errors']): ApiAnswer {
  return { status, body: { type: '/problems/test', title, status, ...(errors && { errors }) } satisfies ProblemBody };
}
