import { record } from '@millrace/eventlog';
import { auditTopic, videosTopic } from '@millrace/events';
import { newId } from '@millrace/ids';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, openTestControl, type TestControl } from '../testing.ts';

type Call = readonly [path: string, body?: unknown];

let control: TestControl;
let admin: string;
/** How to carry out each mutating route; the document below says which there must be. */
const calls: Readonly<Record<string, () => Promise<Call>>> = {
  signIn: async () => ['/api/v1/sign-ins', { code: (await control.service.mintAdminLink()).url.split('#code=')[1] }],
  createStream: async () => ['/api/v1/streams', { title: 'x' }],
  updateStream: async () => [`/api/v1/streams/${await stream()}`, { title: 'y' }],
  deleteStream: async () => [`/api/v1/streams/${await stream()}`],
  createStreamKey: async () => [`/api/v1/streams/${await stream()}/keys`, { label: 'OBS' }],
  rotateStreamKey: async () => [`${await key()}/rotate`, { overlap_s: 10 }],
  revokeStreamKey: async () => [await key()],
  createPlaybackToken: async () => [`/api/v1/streams/${await stream()}/playback-tokens`, {}],
  createVideoPlaybackToken: async () => [`/api/v1/videos/${await video()}/playback-tokens`, {}],
  createToken: async () => ['/api/v1/tokens', { label: 'x', role: 'viewer' }],
  revokeToken: async () => [`/api/v1/tokens/${(await control.tokenOf('viewer', admin)).id}`],
};

async function stream(): Promise<string> {
  const made = await control.call<{ id: string }>('POST', '/api/v1/streams', { token: admin, body: { title: 'x' } });
  return made.body.id;
}

/** A private video of somebody that control has heard of. */
async function video(): Promise<string> {
  const [video_id, playback_id, owner_id] = [newId('vid'), newId('play'), newId('own')];
  const ids = { video_id, playback_id, owner_id, title: 'x', visibility: 'private' as const };
  const state = { status: 'completed' as const, asset: null, complete: false, duration_ms: null, file: null };
  await control.eventLog.publish([record(videosTopic, { ...ids, ...state, updated_at_ms: 1 })]);
  const path = `/api/v1/videos/${video_id}/playback-tokens`;
  await expect.poll(async () => (await control.call('POST', path, { token: admin, body: {} })).status).toBe(201);
  return video_id;
}

async function key(): Promise<string> {
  const keys = `/api/v1/streams/${await stream()}/keys`;
  const made = await control.call<{ id: string }>('POST', keys, { token: admin, body: {} });
  return `${keys}/${made.body.id}`;
}

beforeAll(async () => {
  control = await openTestControl();
  admin = await control.signIn();
});
afterAll(async () => control[Symbol.asyncDispose]());

describe('the audit trail', () => {
  it('every mutating route of the document leaves one fact with actor, action, resource and request id', async () => {
    await using audit = await collect(control.eventLog, auditTopic);
    const me = await control.call<{ owner_id: string }>('GET', '/api/v1/me', { token: admin });
    const operations = Object.values(control.service.openApi.paths ?? {}).flatMap((item) =>
      Object.entries(item as Record<string, { operationId: string }>).filter(([method]) => method !== 'get'),
    );
    expect(operations.length).toBeGreaterThan(8);
    for (const [method, { operationId }] of operations) {
      const [path, body] = (await calls[operationId]?.()) ?? [];
      if (path === undefined) throw new Error(`a new mutating route ${operationId} needs a call in this test`);
      const answer = await control.call(method.toUpperCase(), path, { token: admin, body });
      expect(answer.status, operationId).toBeLessThan(300);
      const requestId = answer.headers.get('x-request-id');
      const fact = await audit.until((record) => record.value?.request_id === requestId);
      expect(fact.value).toMatchObject({ type: 'ActionTaken', action: operationId, actor: me.body.owner_id });
      expect(fact.value?.owner_id).toMatch(/^own_/);
      expect(fact.value?.resource).toMatch(/^(str|key|tok|vid)_/);
    }
  });

  it('a refused call leaves no fact', async () => {
    const refused = await control.call('PATCH', `/api/v1/streams/${await stream()}`, {
      token: admin,
      body: { title: 'y' },
      headers: { 'if-match': '"r99"' },
    });
    expect(refused.status).toBe(412);
    const after = await control.call('POST', '/api/v1/streams', { token: admin, body: { title: 'after' } });
    await using audit = await collect(control.eventLog, auditTopic);
    await audit.until((record) => record.value?.request_id === after.headers.get('x-request-id'));
    const ids = audit.records.map((record) => record.value?.request_id);
    expect(ids).not.toContain(refused.headers.get('x-request-id'));
  });
});
