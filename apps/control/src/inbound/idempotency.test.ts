import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestControl, type TestControl } from '../testing.ts';

let control: TestControl;
let admin: string;
let keys: string;
beforeAll(async () => {
  control = await openTestControl();
  admin = await control.signIn();
  const made = await control.call<{ id: string }>('POST', '/api/v1/streams', { token: admin, body: { title: 'x' } });
  keys = `/api/v1/streams/${made.body.id}/keys`;
});
afterAll(async () => control[Symbol.asyncDispose]());

let n = 0;
const freshKey = () => `idempotency-key-${String(n++).padStart(6, '0')}`;

function post(path: string, body: unknown, key: string, token = admin) {
  return control.call<{ id: string; key: string }>('POST', path, { token, body, headers: { 'idempotency-key': key } });
}

async function count(): Promise<number> {
  return (await control.call<{ items: unknown[] }>('GET', `${keys}?limit=100`, { token: admin })).body.items.length;
}

describe('an Idempotency-Key', () => {
  it('with the same body gets the first answer and does the work once', async () => {
    const [key, before] = [freshKey(), await count()];
    const first = await post(keys, { label: 'OBS' }, key);
    const again = await post(keys, { label: 'OBS' }, key);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
    expect([first.headers.get('idempotent-replayed'), again.headers.get('idempotent-replayed')]).toEqual([
      null,
      'true',
    ]);
    expect(await count()).toBe(before + 1);
  });

  it('of calls at the same time one does the work and all get its answer', async () => {
    const [key, before] = [freshKey(), await count()];
    const all = await Promise.all(Array.from({ length: 6 }, () => post(keys, { label: 'OBS' }, key)));
    expect(new Set(all.map((answer) => answer.body.key)).size).toBe(1);
    expect(all.map((answer) => answer.status)).toEqual(Array(6).fill(201));
    expect(await count()).toBe(before + 1);
  });

  it('with another body is refused with 422', async () => {
    const key = freshKey();
    await post(keys, { label: 'OBS' }, key);
    expect(await post(keys, { label: 'other' }, key)).toMatchObject({
      status: 422,
      body: { type: '/problems/idempotency-key-reused' },
    });
  });

  it('belongs to its owner and route, and a refused call does not use it up', async () => {
    const key = freshKey();
    await post(keys, { label: 'OBS' }, key);
    expect((await post('/api/v1/streams', { title: 'x' }, key)).status).toBe(201);
    const other = await control.tokenOf('broadcaster', admin);
    expect((await post('/api/v1/streams', { title: 'y' }, key, other.token)).status).toBe(201);
    const missing = keys.replace(/str_[0-9a-z]+/, `str_${'0'.repeat(26)}`);
    const unused = freshKey();
    expect((await post(missing, {}, unused)).status).toBe(404);
    const rows = await control.database.sql`SELECT status FROM control.idempotency WHERE status = 0`;
    expect(rows).toHaveLength(0);
  });

  it('that could be guessed is refused, and no kept answer shows its secret', async () => {
    expect((await post(keys, {}, 'short')).status).toBe(400);
    const made = await post(keys, { label: 'OBS' }, freshKey());
    const rows = await control.database.sql`SELECT * FROM control.idempotency`;
    expect(JSON.stringify(rows)).not.toContain(made.body.key);
  });
});
