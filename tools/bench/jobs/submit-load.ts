/** Requests in an open loop: each is sent when it is due and timed from then, whatever became of those before. */
import { type Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Usage, usageDuring } from '../../rig/process-usage.ts';
import { percentile } from '../live/percentile.ts';

export interface LoadResult {
  /** Requests due a second, and how many of them there were. */
  readonly perSecond: number;
  readonly requests: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Of those that were accepted (2xx), ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
  /** Of those that were turned away (503), ms. */
  readonly shedP99Ms: number;
  /** Accepted a second, from the first that was due to the last answer. */
  readonly acceptedPerS: number;
  /** Cores that the server (encoders included), its PostgreSQL and this client took. */
  readonly serverCores: number;
  readonly postgresCores: number;
  readonly clientCores: number;
}

export interface Post {
  readonly path: string;
  readonly body: unknown;
}

export interface LoadTarget {
  readonly url: string;
  readonly token: string;
  readonly agent: Agent;
  /** Whose CPU is counted, its children included. */
  readonly pid: number;
}

/** Sends `requests` POSTs, `perSecond` of them a second; `postOf` gives the n-th. */
export async function loadAt(
  target: LoadTarget,
  perSecond: number,
  requests: number,
  postOf: (n: number) => Post,
): Promise<LoadResult> {
  const accepted: number[] = [];
  const shed: number[] = [];
  const statuses: Record<string, number> = {};
  let [tookMs, clientMs] = [0, 0];
  const send = async () => {
    const cpuBefore = process.cpuUsage();
    const startedAt = performance.now() + 100;
    const open: Promise<void>[] = [];
    for (let n = 0; n < requests; n++) {
      const dueAt = startedAt + (n * 1_000) / perSecond;
      const waitMs = dueAt - performance.now();
      if (waitMs > 1) await sleep(waitMs);
      const { path, body } = postOf(n);
      open.push(
        post(target, path, body).then((status) => {
          const latencyMs = performance.now() - dueAt;
          statuses[status] = (statuses[status] ?? 0) + 1;
          if (status >= 200 && status < 300) accepted.push(latencyMs);
          else if (status === 503) shed.push(latencyMs);
        }),
      );
    }
    await Promise.all(open);
    tookMs = performance.now() - startedAt;
    const cpu = process.cpuUsage(cpuBefore);
    clientMs = (cpu.user + cpu.system) / 1_000;
  };
  const usage: { server: Usage; postgres: Usage } = await usageDuring(target.pid, send);
  return {
    ...{ perSecond, requests, statuses },
    ...{ p50Ms: percentile(accepted, 0.5), p99Ms: percentile(accepted, 0.99), slowestMs: percentile(accepted, 1) },
    shedP99Ms: percentile(shed, 0.99),
    acceptedPerS: (accepted.length * 1_000) / tookMs,
    ...{ serverCores: usage.server.cores, postgresCores: usage.postgres.cores, clientCores: clientMs / tookMs },
  };
}

/** One POST; gives the status. */
export function post({ url, token, agent }: Omit<LoadTarget, 'pid'>, path: string, body: unknown): Promise<number> {
  const text = JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { method: 'POST', agent, headers }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end(text);
  });
}
