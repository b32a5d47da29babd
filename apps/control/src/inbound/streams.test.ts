import { streamKeysTopic, streamsTopic } from '@millrace/events';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, openTestControl, type TestControl } from '../testing.ts';

interface Detail {
  id: string;
  playback_id: string;
  title: string;
  updated_at: string;
}
interface Page {
  items: Detail[];
  next_cursor: string | null;
}

let control: TestControl;
let admin: string;
beforeAll(async () => {
  control = await openTestControl();
  admin = await control.signIn();
});
afterAll(async () => control[Symbol.asyncDispose]());

async function create(title: string, token = admin, more: Record<string, unknown> = {}) {
  return control.call<Detail>('POST', '/api/v1/streams', { token, body: { title, ...more } });
}

describe('streams', () => {
  it('a created stream shows its definition, idle state and URLs', async () => {
    const made = await create('First');
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe(`/api/v1/streams/${made.body.id}`);
    const got = await control.call('GET', `/api/v1/streams/${made.body.id}`, { token: admin });
    expect(got.status).toBe(200);
    expect(got.body).toMatchObject({
      ...{ title: 'First', visibility: 'public', latency_mode: 'low', state: 'idle', live_since: null, health: null },
      playback: {
        hls_url: `http://stream.example:8080/live/${made.body.playback_id}/index.m3u8`,
        watch_url: `http://stream.example:8080/watch/${made.body.playback_id}`,
      },
      ingest: { rtmp_url: 'rtmp://stream.example/live', rtmps_url: null },
    });
    expect(Object.keys(got.body)).toEqual(Object.keys(made.body));
  });

  it('a change under If-Match counts once, and of two changes of one version one is refused', async () => {
    const { body } = await create('Before');
    const path = `/api/v1/streams/${body.id}`;
    const etag = (await control.call('GET', path, { token: admin })).headers.get('etag') ?? '';
    const change = (title: string) =>
      control.call<Detail>('PATCH', path, { token: admin, body: { title }, headers: { 'if-match': etag } });
    const answers = await Promise.all([change('A'), change('B')]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 412]);
    const winner = answers.find((answer) => answer.status === 200);
    const got = await control.call<Detail>('GET', path, { token: admin });
    expect(got.body.title).toBe(winner?.body.title);
    expect(got.headers.get('etag')).toBe(winner?.headers.get('etag'));
  });

  it('definitions reach the topic as whole states, and a deletion as tombstones of the stream and its keys', async () => {
    await using streams = await collect(control.eventLog, streamsTopic);
    await using keys = await collect(control.eventLog, streamKeysTopic);
    const { body } = await create('Told', admin, { visibility: 'private', latency_mode: 'standard' });
    const first = await streams.until((record) => record.key === body.id);
    expect(first.value).toMatchObject({ title: 'Told', visibility: 'private', latency_mode: 'standard' });
    await control.call('PATCH', `/api/v1/streams/${body.id}`, { token: admin, body: { title: 'Retold' } });
    const second = await streams.until((record) => record.key === body.id && record.value?.title === 'Retold');
    expect(second.value).toMatchObject({ playback_id: body.playback_id, visibility: 'private' });
    const key = await control.call<{ id: string }>('POST', `/api/v1/streams/${body.id}/keys`, {
      token: admin,
      body: {},
    });
    expect((await control.call('DELETE', `/api/v1/streams/${body.id}`, { token: admin })).status).toBe(204);
    await streams.until((record) => record.key === body.id && record.value === undefined);
    await keys.until((record) => record.key === key.body.id && record.value === undefined);
    expect((await control.call('GET', `/api/v1/streams/${body.id}`, { token: admin })).status).toBe(404);
  });

  it('the limit of streams of one owner refuses the next with 409', async () => {
    await using small = await openTestControl({ settings: { CONTROL_MAX_STREAMS_PER_OWNER: 1 } });
    const token = await small.signIn();
    const post = () => small.call('POST', '/api/v1/streams', { token, body: { title: 'x' } });
    expect((await post()).status).toBe(201);
    expect(await post()).toMatchObject({ status: 409, body: { type: '/problems/too-many-streams' } });
  });
});

describe('pages of streams', () => {
  it('show every stream that was there exactly once while others are inserted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(9), fc.integer({ min: 1, max: 4 }), fc.nat(2), async (count, limit, inserts) => {
        const owner = await control.tokenOf('broadcaster', admin);
        const before: string[] = [];
        for (let i = 0; i < count; i++) before.push((await create(`s${i}`, owner.token)).body.id);
        const shown: string[] = [];
        let cursor: string | null = '';
        while (cursor !== null) {
          const query: string = cursor === '' ? `limit=${limit}` : `limit=${limit}&cursor=${cursor}`;
          const inserting = Array.from({ length: inserts }, () => create('late', owner.token));
          const page = await control.call<Page>('GET', `/api/v1/streams?${query}`, { token: owner.token });
          await Promise.all(inserting);
          expect(page.status).toBe(200);
          expect(page.body.items.length).toBeLessThanOrEqual(limit);
          shown.push(...page.body.items.map((item) => item.id));
          cursor = page.body.next_cursor;
        }
        expect(new Set(shown).size).toBe(shown.length);
        expect(before.filter((id) => !shown.includes(id))).toEqual([]);
      }),
      { numRuns: 8 },
    );
  });

  it('a cursor of another kind is refused as a bad request', async () => {
    const answer = await control.call('GET', '/api/v1/streams?cursor=%25%25&limit=500', { token: admin });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      type: '/problems/invalid-request',
      errors: [{ path: 'query.limit', expected: 'at most 100', got: '"500"' }, { path: 'query.cursor' }],
    });
    expect((await control.call('GET', '/api/v1/streams?cursor=zzz', { token: admin })).status).toBe(400);
  });
});
