import type { Role } from '@millrace/auth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestControl, type TestControl } from '../testing.ts';

const nobody = '0'.repeat(26);
const stream = `/api/v1/streams/str_${nobody}`;
const key = `${stream}/keys/key_${nobody}`;

/** Every route and who may call it: a admin, b broadcaster, n analyst, v viewer, - nobody needs to log in. */
const table: readonly (readonly [string, string, string, unknown?])[] = [
  ['POST', '/api/v1/sign-ins', '-', { code: 'no such code' }],
  ['GET', '/api/v1/me', 'abnv'],
  ['GET', '/api/v1/streams', 'abnv'],
  ['POST', '/api/v1/streams', 'ab', { title: 'x' }],
  ['GET', stream, 'abnv'],
  ['PATCH', stream, 'ab', { title: 'x' }],
  ['DELETE', stream, 'ab'],
  ['GET', `${stream}/keys`, 'ab'],
  ['POST', `${stream}/keys`, 'ab', {}],
  ['POST', `${key}/rotate`, 'ab', {}],
  ['DELETE', key, 'ab'],
  ['POST', `${stream}/playback-tokens`, 'abv', {}],
  ['POST', `/api/v1/videos/vid_${nobody}/playback-tokens`, 'abv', {}],
  ['GET', `/api/v1/watch/play_${nobody}`, '-'],
  ['GET', '/api/v1/tokens', 'abnv'],
  ['POST', '/api/v1/tokens', 'abn', { label: 'x', role: 'viewer' }],
  ['DELETE', `/api/v1/tokens/tok_${nobody}`, 'abnv'],
];
const letters: Readonly<Record<Role, string>> = { admin: 'a', broadcaster: 'b', analyst: 'n', viewer: 'v' };

let control: TestControl;
const tokens = new Map<Role, string>();
beforeAll(async () => {
  control = await openTestControl();
  const admin = await control.signIn();
  tokens.set('admin', admin);
  for (const role of ['broadcaster', 'analyst', 'viewer'] as const) {
    tokens.set(role, (await control.tokenOf(role, admin)).token);
  }
});
afterAll(async () => control[Symbol.asyncDispose]());

describe('the role matrix', () => {
  it('has a row for every route of the document', () => {
    const routes = Object.entries(control.service.openApi.paths ?? {}).flatMap(([path, item]) =>
      Object.keys(item as object).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{[^}]+\}/g, '*')}`),
    );
    const rows = table.map(([method, path]) => `${method} ${path.replaceAll(/(str|key|play|tok|vid)_0{26}/g, '*')}`);
    expect(rows.sort()).toEqual(routes.sort());
  });

  it.each(table.map((row) => ({ row, name: `${row[0]} ${row[1]} is for ${row[2]}` })))('$name', async ({ row }) => {
    const [method, path, who, body] = row;
    const anonymous = await control.call(method, path, { body });
    if (who === '-') expect([401, 404]).toContain(anonymous.status);
    else expect(anonymous.status).toBe(401);
    for (const [role, token] of tokens) {
      const { status } = await control.call(method, path, { token, body });
      if (who === '-') continue;
      if (who.includes(letters[role])) expect([200, 201, 404], `${role} ${method} ${path}`).toContain(status);
      else expect(status, `${role} ${method} ${path}`).toBe(403);
    }
  });

  it('a token gives only its own role or viewer, and only an admin names another owner', async () => {
    const give = (from: Role, role: Role, owner_id?: string) =>
      control.call('POST', '/api/v1/tokens', {
        token: tokens.get(from) ?? '',
        body: { label: 'x', role, ...(owner_id === undefined ? {} : { owner_id }) },
      });
    expect((await give('broadcaster', 'broadcaster')).status).toBe(201);
    expect((await give('broadcaster', 'viewer')).status).toBe(201);
    expect((await give('broadcaster', 'admin')).status).toBe(403);
    expect((await give('analyst', 'broadcaster')).status).toBe(403);
    expect((await give('broadcaster', 'viewer', 'new')).status).toBe(403);
    expect((await give('broadcaster', 'viewer', `own_${nobody}`)).status).toBe(403);
    expect((await give('admin', 'viewer', `own_${nobody}`)).status).toBe(404);
  });

  it('owners reach their own only, and an admin reaches all', async () => {
    const admin = tokens.get('admin') ?? '';
    const [one, two] = [await control.tokenOf('broadcaster', admin), await control.tokenOf('broadcaster', admin)];
    const made = await control.call<{ id: string }>('POST', '/api/v1/streams', {
      token: one.token,
      body: { title: 'own' },
    });
    const path = `/api/v1/streams/${made.body.id}`;
    const routes: [string, string, unknown?][] = [
      ['GET', path],
      ['PATCH', path, { title: 'stolen' }],
      ['GET', `${path}/keys`],
      ['POST', `${path}/keys`, {}],
      ['POST', `${path}/playback-tokens`, {}],
      ['DELETE', path],
    ];
    for (const [method, at, body] of routes) {
      expect((await control.call(method, at, { token: two.token, body })).status, `${method} ${at}`).toBe(404);
    }
    expect((await control.call('DELETE', `/api/v1/tokens/${one.id}`, { token: two.token })).status).toBe(404);
    const listed = await control.call<{ items: { id: string }[] }>('GET', '/api/v1/streams', { token: two.token });
    expect(listed.body.items).toEqual([]);
    expect((await control.call<{ title: string }>('GET', path, { token: admin })).body.title).toBe('own');
    expect((await control.call('DELETE', path, { token: admin })).status).toBe(204);
  });
});
