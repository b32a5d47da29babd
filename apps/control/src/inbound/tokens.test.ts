import { createTokenVerifier } from '@millrace/auth';
import { systemClock } from '@millrace/clock';
import { ManualClock } from '@millrace/clock/testing';
import { revokedTokensTopic, signingKeysTopic } from '@millrace/events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, openTestControl, type TestControl } from '../testing.ts';

interface Stream {
  id: string;
  playback_id: string;
}

let control: TestControl;
let admin: string;
beforeAll(async () => {
  control = await openTestControl();
  admin = await control.signIn();
});
afterAll(async () => control[Symbol.asyncDispose]());

async function create(visibility: 'public' | 'private'): Promise<Stream> {
  const body = { title: 'x', visibility };
  return (await control.call<Stream>('POST', '/api/v1/streams', { token: admin, body })).body;
}

describe('signing in', () => {
  it('a code works once', async () => {
    const code = (await control.service.mintAdminLink()).url.split('#code=')[1];
    const first = await control.call('POST', '/api/v1/sign-ins', { body: { code } });
    expect(first).toMatchObject({ status: 201, body: { role: 'admin' } });
    const again = await control.call('POST', '/api/v1/sign-ins', { body: { code } });
    expect(again).toMatchObject({ status: 401, body: { type: '/problems/code-refused' } });
  });

  it('of many uses of one code at the same time one wins', async () => {
    const code = (await control.service.mintAdminLink()).url.split('#code=')[1];
    const all = await Promise.all(
      Array.from({ length: 8 }, () => control.call('POST', '/api/v1/sign-ins', { body: { code } })),
    );
    expect(all.filter((answer) => answer.status === 201)).toHaveLength(1);
  });

  it('a code is refused an hour after it was minted', async () => {
    const clock = new ManualClock(Date.now());
    await using later = await openTestControl({ clock });
    const code = later.service.firstAdminLink?.url.split('#code=')[1];
    clock.jumpWall(3_600_000);
    expect((await later.call('POST', '/api/v1/sign-ins', { body: { code } })).status).toBe(401);
  });

  it('every link is for the same admin, and the code is in the database as a hash only', async () => {
    const owners = new Set<unknown>();
    for (let i = 0; i < 2; i++) {
      const code = (await control.service.mintAdminLink()).url.split('#code=')[1] ?? '';
      const rows = await control.database.sql`SELECT * FROM control.sign_in_codes`;
      expect(JSON.stringify(rows)).not.toContain(code);
      owners.add((await control.call('POST', '/api/v1/sign-ins', { body: { code } })).body['owner_id']);
    }
    expect(owners.size).toBe(1);
  });
});

describe('API tokens', () => {
  it('a revoked token is refused at once, and other services learn it from the topics alone', async () => {
    const made = await control.tokenOf('broadcaster', admin);
    const signingKeys = control.eventLog.table(signingKeysTopic);
    const revoked = control.eventLog.table(revokedTokensTopic);
    await Promise.all([signingKeys.ready, revoked.ready]);
    const elsewhere = createTokenVerifier({ signingKeys, revoked, clock: systemClock });
    expect(await elsewhere.verifyApiToken(made.token)).toMatchObject({ ok: true, value: { ownerId: made.ownerId } });
    await using topic = await collect(control.eventLog, revokedTokensTopic);
    const gone = new Promise<void>((resolve) => revoked.onChange((key) => (key === made.id ? resolve() : undefined)));
    expect((await control.call('DELETE', `/api/v1/tokens/${made.id}`, { token: made.token })).status).toBe(204);
    const after = await control.call('GET', '/api/v1/me', { token: made.token });
    expect(after).toMatchObject({ status: 401, body: { type: '/problems/token-revoked' } });
    expect(after.headers.get('www-authenticate')).toContain('invalid_token');
    await topic.until((record) => record.key === made.id);
    await gone;
    expect(await elsewhere.verifyApiToken(made.token)).toMatchObject({ ok: false, error: { kind: 'revoked' } });
  });

  it('a token is shown once and its holder sees what it is', async () => {
    const body = { label: 'CI', role: 'viewer', expires_in_s: 60 };
    const made = await control.call<{ id: string; token: string }>('POST', '/api/v1/tokens', { token: admin, body });
    const listed = await control.call<{ items: { id: string }[] }>('GET', '/api/v1/tokens?limit=100', { token: admin });
    expect(listed.body.items.find((item) => item.id === made.body.id)).toMatchObject({ label: 'CI', revoked_at: null });
    expect(JSON.stringify(listed.body)).not.toContain(made.body.token);
    const me = await control.call('GET', '/api/v1/me', { token: made.body.token });
    expect(me.body).toMatchObject({ role: 'viewer', token_id: made.body.id });
    expect((await control.call('GET', '/api/v1/me', { token: `${made.body.token}x` })).status).toBe(401);
  });
});

describe('watching', () => {
  it('a public stream needs no login', async () => {
    const stream = await create('public');
    const watch = await control.call('GET', `/api/v1/watch/${stream.playback_id}`);
    expect(watch).toMatchObject({
      status: 200,
      body: { state: 'idle', title: 'x', hls_url: `http://stream.example:8080/live/${stream.playback_id}/index.m3u8` },
    });
    expect(JSON.stringify(watch.body)).not.toContain(stream.id);
  });

  it('a private stream needs a token of its own, and its URLs carry it', async () => {
    const [stream, other] = [await create('private'), await create('private')];
    const at = `/api/v1/watch/${stream.playback_id}`;
    expect((await control.call('GET', at)).status).toBe(401);
    expect((await control.call('GET', `${at}?token=x`)).status).toBe(401);
    const mint = (id: string) =>
      control.call<{ token: string; hls_url: string; watch_url: string }>(
        'POST',
        `/api/v1/streams/${id}/playback-tokens`,
        {
          token: admin,
          body: { expires_in_s: 60 },
        },
      );
    const mine = (await mint(stream.id)).body;
    const theirs = (await mint(other.id)).body;
    const watch = await control.call(`GET`, `${at}?token=${mine.token}`);
    expect(watch).toMatchObject({ status: 200, body: { hls_url: mine.hls_url } });
    expect(mine.hls_url).toBe(`http://stream.example:8080/live/${stream.playback_id}/${mine.token}/index.m3u8`);
    expect((await control.call('GET', `${at}?token=${theirs.token}`)).status).toBe(401);
    expect((await control.call('GET', `${at}?token=${admin}`)).status).toBe(401);
    expect((await control.call('GET', '/api/v1/me', { token: mine.token })).status).toBe(401);
    const detail = await control.call('GET', `/api/v1/streams/${stream.id}`, { token: admin });
    expect(detail.body['playback']).toMatchObject({ hls_url: null });
  });
});
