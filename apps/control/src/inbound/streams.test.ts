import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestControl, type TestControl } from '../testing.ts';

let control: TestControl;
let admin: string;
beforeAll(async () => {
  control = await openTestControl();
  admin = await control.signIn();
});
afterAll(async () => control[Symbol.asyncDispose]());

interface Detail {
  id: string;
  playback_id: string;
  title: string;
  state: string;
}

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
      title: 'First',
      visibility: 'public',
      latency_mode: 'low',
      state: 'idle',
      live_since: null,
      health: null,
      playback: {
        hls_url: `http://stream.example:8080/live/${made.body.playback_id}/index.m3u8`,
        watch_url: `http://stream.example:8080/watch/${made.body.playback_id}`,
      },
      ingest: { rtmp_url: 'rtmp://stream.example/live', rtmps_url: null },
    });
  });
});
