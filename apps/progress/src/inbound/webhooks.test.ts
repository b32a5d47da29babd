/** Webhooks to a real receiver that verifies signatures by the words of the specification. */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CreatedWebhook, WebhookBody, WebhookDelivery } from '@millrace/api';
import { record } from '@millrace/eventlog';
import { type JobFact, jobsTopic } from '@millrace/events';
import { newId } from '@millrace/ids';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { retryWaitMs } from '../core/webhook.ts';
import { openTestProgress, type TestProgress } from '../testing.ts';

interface Got {
  readonly path: string;
  readonly id: string;
  readonly verified: boolean;
  readonly body: WebhookBody;
}

const got: Got[] = [];
const secrets = new Map<string, string>();
let status: (path: string, tries: number) => number = () => 204;
const server = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    const text = Buffer.concat(pieces).toString();
    const path = request.url ?? '';
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = request.headers;
    const key = Buffer.from((secrets.get(path) ?? '').replace('whsec_', ''), 'base64');
    const expected = `v1,${createHmac('sha256', key)
      .update(`${String(id)}.${String(at)}.${text}`)
      .digest('base64')}`;
    const fresh = Math.abs(Number(at) - Date.now() / 1_000) < 300;
    got.push({
      path,
      id: String(id),
      verified: signature === expected && fresh,
      body: JSON.parse(text) as WebhookBody,
    });
    response.writeHead(status(path, got.filter((one) => one.path === path).length)).end();
  });
});
let base: string;
let progress: TestProgress;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  progress = await openTestProgress({
    settings: { PROGRESS_ALLOW_NETWORKS: ['127.0.0.1'], PROGRESS_MAX_WEBHOOKS: 3 },
  });
});
afterAll(async () => {
  await progress[Symbol.asyncDispose]();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const settled = { timeout: 10_000, interval: 20 };

async function webhook(token: string, path: string, more = {}) {
  const made = await progress.call<CreatedWebhook>('POST', '/api/v1/webhooks', {
    ...{ token, body: { url: base + path, ...more } },
  });
  if (made.status === 201) secrets.set(path, made.body.secret);
  return made;
}

function end(ownerId: string, type: 'JobCompleted' | 'JobFailed' | 'JobCancelled'): JobFact {
  const common = {
    job_id: newId('job'),
    owner_id: ownerId,
    kind: 'process',
    subject: newId('vid'),
    at_ms: Date.now(),
  } as const;
  return type === 'JobFailed' ? { ...common, type, step: 'probe', reason: 'no media' } : { ...common, type };
}

const publish = (...facts: JobFact[]) => progress.eventLog.publish(facts.map((fact) => record(jobsTopic, fact)));
const at = (path: string) => got.filter((one) => one.path === path);

describe('a webhook', () => {
  it('is told once of every end of its owner’s jobs, signed, and of nobody else’s', async () => {
    const { token, ownerId } = await progress.tokenOf('broadcaster');
    const other = await progress.tokenOf('broadcaster');
    const made = await webhook(token, '/mine');
    expect(made.status).toBe(201);
    expect(made.body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const shown = await progress.call('GET', `/api/v1/webhooks/${made.body.webhook_id}`, { token });
    expect(shown.body).not.toHaveProperty('secret');
    const failed = end(ownerId, 'JobFailed');
    await publish(
      end(other.ownerId, 'JobCompleted'),
      end(ownerId, 'JobCompleted'),
      failed,
      end(ownerId, 'JobCancelled'),
    );
    await expect.poll(() => at('/mine').length, settled).toBe(3);
    expect(at('/mine').every(({ verified }) => verified)).toBe(true);
    expect(
      at('/mine')
        .map(({ body }) => body.type)
        .toSorted(),
    ).toEqual(['job.cancelled', 'job.completed', 'job.failed']);
    expect(at('/mine').find(({ body }) => body.type === 'job.failed')?.body.data).toEqual({
      ...{ task_id: failed.job_id, kind: 'process', subject: failed.subject, owner_id: ownerId, status: 'failed' },
      error: { step: 'probe', reason: 'no media' },
    });
    // what was received is written down a moment later
    const listed = async () => {
      const path = `/api/v1/webhooks/${made.body.webhook_id}/deliveries`;
      const list = await progress.call<{ items: WebhookDelivery[] }>('GET', path, { token });
      return list.body.items.map(({ state, last_status, tries }) => [state, last_status, tries]);
    };
    await expect.poll(listed, settled).toEqual(Array.from({ length: 3 }, () => ['delivered', 204, 1]));
    expect(
      (await progress.call('GET', `/api/v1/webhooks/${made.body.webhook_id}`, { token: other.token })).status,
    ).toBe(404);
  });

  it('hears only what it asked for; an admin may hear of everybody, nobody else may', async () => {
    const { token, ownerId } = await progress.tokenOf('broadcaster');
    const admin = await progress.tokenOf('admin');
    await webhook(token, '/failures', { events: ['job.failed'] });
    expect((await webhook(token, '/all', { all_owners: true })).status).toBe(403);
    expect((await webhook(admin.token, '/all', { all_owners: true })).status).toBe(201);
    // of the house's own work nobody hears
    await publish({ ...end(ownerId, 'JobFailed'), kind: 'thumbnail' });
    await publish(end(ownerId, 'JobCompleted'), end(ownerId, 'JobFailed'));
    await expect.poll(() => at('/all').length, settled).toBe(2);
    await expect.poll(() => at('/failures').length, settled).toBe(1);
    expect(at('/failures')[0]?.body.type).toBe('job.failed');
  });

  it('is tried again by the same id after a refusal, and never again after 410', async () => {
    const { token, ownerId } = await progress.tokenOf('broadcaster');
    status = (path, tries) => (path === '/gone' ? 410 : path === '/shaky' && tries === 1 ? 503 : 204);
    await webhook(token, '/shaky');
    const gone = await webhook(token, '/gone');
    await publish(end(ownerId, 'JobCompleted'));
    await expect.poll(() => [at('/shaky').length, at('/gone').length], settled).toEqual([1, 1]);
    // the wait of five seconds, not waited for
    await expect
      .poll(async () => {
        await progress.database.sql`UPDATE progress.webhook_deliveries SET try_at = now() WHERE last_status = 503`;
        return at('/shaky').length;
      }, settled)
      .toBe(2);
    expect(new Set(at('/shaky').map(({ id }) => id)).size).toBe(1);
    const shown = () => progress.call('GET', `/api/v1/webhooks/${gone.body.webhook_id}`, { token });
    await expect.poll(async () => (await shown()).body['disabled_at'], settled).not.toBeNull();
    await publish(end(ownerId, 'JobCompleted'));
    await expect.poll(() => at('/shaky').length, settled).toBe(3);
    expect(at('/gone').length).toBe(1);
  });

  it('cannot lead into our own networks, nor be one of too many', async () => {
    const { token } = await progress.tokenOf('broadcaster');
    const inside = { url: 'http://10.0.0.7:9000/hook' };
    expect((await progress.call('POST', '/api/v1/webhooks', { token, body: inside })).status).toBe(422);
    for (const path of ['/1', '/2', '/3']) expect((await webhook(token, path)).status).toBe(201);
    expect((await webhook(token, '/4')).status).toBe(409);
    const analyst = await progress.tokenOf('analyst');
    expect((await webhook(analyst.token, '/5')).status).toBe(403);
  });

  it('waits longer after every failure and gives up after a day and a half', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (tries, random) => {
        const [now, next] = [retryWaitMs(tries, random), retryWaitMs(tries + 1, 0)];
        if (now === undefined || next === undefined) throw new Error(`gave up after ${tries}`);
        expect(next).toBeGreaterThan(now);
      }),
    );
    expect(retryWaitMs(10, 0)).toBeUndefined();
  });
});
