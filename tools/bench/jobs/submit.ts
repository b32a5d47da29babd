/**
 * How fast long work is accepted: compositions at 50 and at 300 a second for ten seconds while a worker encodes on the same machine, timed from
 * the moment at which each was due (so that a slow server cannot hide behind a slow client); and a thousand equal calls at once.
 */
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StandaloneServer } from '../../rig/standalone-server.ts';
import { percentile } from '../live/percentile.ts';
import { hasEnded, makeVideo, until, uploadVideo } from './media.ts';

export interface RateResult {
  readonly perSecond: number;
  readonly submissions: number;
  readonly accepted: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
}

export interface SubmitResult {
  readonly rates: readonly RateResult[];
  /** Of the 1,000 equal calls: answered 202, answered 409. */
  readonly equalAccepted: number;
  readonly equalRefused: number;
}

export async function measureSubmit(server: StandaloneServer, dir: string, quick: boolean): Promise<SubmitResult> {
  const path = join(dir, 'tiny.mp4');
  makeVideo(path, { seconds: 2, size: '160x90' });
  const ids = [await uploadVideo(server, path, true), await uploadVideo(server, path, true)];
  for (const id of ids) await until(server, `/videos/${id}`, hasEnded);

  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const rates: RateResult[] = [];
  for (const perSecond of [50, 300]) {
    rates.push(await submitAt(server, agent, ids, perSecond, perSecond * (quick ? 3 : 10)));
  }

  const equal = await uploadVideo(server, path, false);
  const statuses = await Promise.all(
    Array.from({ length: 1_000 }, () => post(server, agent, `/videos/${equal}/run_sync`, {})),
  );
  agent.destroy();
  return {
    rates,
    equalAccepted: statuses.filter((status) => status === 202).length,
    equalRefused: statuses.filter((status) => status === 409).length,
  };
}

/** An open loop: each is due at its time, whatever became of those before. */
async function submitAt(
  server: StandaloneServer,
  agent: Agent,
  videos: readonly string[],
  perSecond: number,
  submissions: number,
): Promise<RateResult> {
  const latencies: number[] = [];
  let accepted = 0;
  const startedAt = performance.now() + 200;
  const open: Promise<void>[] = [];
  for (let n = 0; n < submissions; n++) {
    const dueAt = startedAt + (n * 1_000) / perSecond;
    const waitMs = dueAt - performance.now();
    if (waitMs > 1) await sleep(waitMs);
    open.push(
      post(server, agent, '/compositions', { videos }).then((status) => {
        latencies.push(performance.now() - dueAt);
        if (status === 202) accepted++;
      }),
    );
  }
  await Promise.all(open);
  const [p50Ms, p99Ms] = [percentile(latencies, 0.5), percentile(latencies, 0.99)];
  return { perSecond, submissions, accepted, p50Ms, p99Ms, slowestMs: Math.max(...latencies) };
}

function post(server: StandaloneServer, agent: Agent, path: string, body: unknown): Promise<number> {
  const text = JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${server.api.token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  };
  return new Promise((resolve, reject) => {
    const sent = request(`${server.httpUrl}/api/v1${path}`, { method: 'POST', agent, headers }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end(text);
  });
}
