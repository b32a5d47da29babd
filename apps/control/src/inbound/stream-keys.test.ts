import { hashSecret } from '@millrace/auth';
import { ManualClock } from '@millrace/clock/testing';
import { streamKeysTopic } from '@millrace/events';
import { silentLogger } from '@millrace/log';
import { openMetricsRegistry } from '@millrace/metrics';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createControlMetrics } from '../metrics.ts';
import { createControlStore } from '../outbound/control-store.ts';
import { type Collected, collect, openTestControl, type TestControl } from '../testing.ts';
import { keptEndedMs, sweepOnce } from './sweeper.ts';

interface Key {
  id: string;
  key: string;
  last4: string;
  expires_at: string | null;
  revoked_at: string | null;
}

let control: TestControl;
let keys: Collected<{ key_sha256: string; revoked: boolean; expires_at_ms?: number | undefined }>;
let admin: string;
let path: string;
beforeAll(async () => {
  control = await openTestControl();
  admin = await control.signIn();
  keys = await collect(control.eventLog, streamKeysTopic);
  const made = await control.call<{ id: string }>('POST', '/api/v1/streams', { token: admin, body: { title: 'x' } });
  path = `/api/v1/streams/${made.body.id}/keys`;
});
afterAll(async () => {
  await keys[Symbol.asyncDispose]();
  await control[Symbol.asyncDispose]();
});

async function create(label: string): Promise<Key> {
  return (await control.call<Key>('POST', path, { token: admin, body: { label } })).body;
}

async function list(): Promise<Key[]> {
  return (await control.call<{ items: Key[] }>('GET', `${path}?limit=100`, { token: admin })).body.items;
}

describe('stream keys', () => {
  it('a key is shown once, and afterwards neither by the API nor in the database nor in the log', async () => {
    const made = await create('OBS');
    expect(made.key).toMatch(/^mk_[a-z2-7]{32}$/);
    expect(made.last4).toBe(made.key.slice(-4));
    const listed = await list();
    expect(listed.find((key) => key.id === made.id)).toMatchObject({
      label: 'OBS',
      last4: made.last4,
      last_used_at: null,
    });
    expect(JSON.stringify(listed)).not.toContain(made.key);
    const rows = await control.database.sql`SELECT * FROM control.stream_keys`;
    expect(JSON.stringify(rows)).not.toContain(made.key);
    const told = await keys.until((record) => record.key === made.id);
    expect(told.value?.key_sha256).toBe(hashSecret(made.key));
    expect(JSON.stringify(told.value)).not.toContain(made.key);
  });

  it('a rotation gives a new key while the old one works for the overlap', async () => {
    const old = await create('OBS');
    const before = Date.now();
    const rotated = await control.call<Key>('POST', `${path}/${old.id}/rotate`, {
      token: admin,
      body: { overlap_s: 60 },
    });
    expect(rotated.status).toBe(201);
    expect(rotated.body.key).not.toBe(old.key);
    const retired = await keys.until((record) => record.key === old.id && record.value?.expires_at_ms !== undefined);
    expect(retired.value?.revoked).toBe(false);
    expect(retired.value?.expires_at_ms).toBeGreaterThanOrEqual(before + 60_000);
    expect(retired.value?.expires_at_ms).toBeLessThan(before + 70_000);
    const fresh = await keys.until((record) => record.key === rotated.body.id);
    expect(fresh.value).toMatchObject({ key_sha256: hashSecret(rotated.body.key), revoked: false });
    expect(fresh.value?.expires_at_ms).toBeUndefined();
  });

  it('a revocation reaches the table, is the same twice, and ends rotation', async () => {
    const { id } = await create('OBS');
    expect((await control.call('DELETE', `${path}/${id}`, { token: admin })).status).toBe(204);
    await keys.until((record) => record.key === id && record.value?.revoked === true);
    const first = (await list()).find((key) => key.id === id)?.revoked_at;
    expect((await control.call('DELETE', `${path}/${id}`, { token: admin })).status).toBe(204);
    expect((await list()).find((key) => key.id === id)?.revoked_at).toBe(first);
    const rotated = await control.call('POST', `${path}/${id}/rotate`, { token: admin, body: {} });
    expect(rotated).toMatchObject({ status: 409, body: { type: '/problems/key-not-usable' } });
  });

  it('ended keys leave the list and the topic after a week, others stay', async () => {
    const [ended, kept] = [await create('ended'), await create('kept')];
    await control.call('DELETE', `${path}/${ended.id}`, { token: admin });
    const store = createControlStore(control.database.sql, control.eventLog);
    const metrics = createControlMetrics(openMetricsRegistry({ processMetrics: false }));
    const at = (nowMs: number) => sweepOnce({ store, clock: new ManualClock(nowMs), log: silentLogger, metrics });
    await at(Date.now() + keptEndedMs - 60_000);
    expect((await list()).map((key) => key.id)).toContain(ended.id);
    await at(Date.now() + keptEndedMs + 1_000);
    await keys.until((record) => record.key === ended.id && record.value === undefined);
    const left = (await list()).map((key) => key.id);
    expect(left).toContain(kept.id);
    expect(left).not.toContain(ended.id);
  });
});
