import type { IncomingMessage, ServerResponse } from 'node:http';
import { type LeasedTask, leaseRequestSchema } from '@millrace/api';
import { type Clock, systemClock } from '@millrace/clock';
import { guardMount, type HttpMount, problem, serviceTokenGuard, writeProblem } from '@millrace/http';
import type { Logger } from '@millrace/log';
import type { Result } from '@millrace/result';
import type { z } from 'zod';
import {
  endCallSchema,
  leaseSignMs,
  leasesPath,
  maxCallBytes,
  maxEndBytes,
  readJson,
  reportsCallSchema,
} from './job-lease-wire.ts';
import type { JobLeases, LeaseFailure } from './job-leases.ts';

/** What may be counted: a bounded set, for a metric's `reason`. */
export type JobLeaseEvent =
  | 'leased'
  | 'empty'
  | 'reported'
  | 'ended'
  | 'stops-opened'
  | 'stops-replaced'
  | 'stops-slow'
  | 'undelivered'
  | 'refused'
  | 'unavailable'
  | 'too-large'
  | 'too-many'
  | 'crashed';

export interface JobLeaseServerOptions {
  /** The real desk; every call it gets has passed the service token and the schemas. */
  readonly leases: JobLeases;
  /** At least 16 characters. */
  readonly serviceToken: string;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Most requests at a time, held ones included; a worker holds two. */
  readonly maxRequests?: number;
  readonly onEvent?: (event: JobLeaseEvent) => void;
}

/** Progress's side over HTTP: mount it on the internal listener. Closing it ends every held answer. */
export function openJobLeaseServer(options: JobLeaseServerOptions): { readonly mount: HttpMount } & AsyncDisposable {
  const { leases, log } = options;
  const clock = options.clock ?? systemClock;
  const maxRequests = options.maxRequests ?? 4_096;
  const count = options.onEvent ?? (() => {});
  const running = new Set<Promise<void>>();
  const held = new Set<AbortController>();
  const streams = new Map<string, AbortController>();
  let open = true;

  /** The body as `schema`; undefined when the answer is out already. */
  async function read<T>(call: Call, schema: z.ZodType<T>, maxBytes = maxCallBytes): Promise<T | undefined> {
    const text = await readText(call.request, maxBytes);
    if (text === undefined) {
      count('too-large');
      const detail = `expected a body of at most ${maxBytes} bytes`;
      writeProblem(call.response, problem(413, 'too-large', 'Body too large', { detail }), { connection: 'close' });
      return undefined;
    }
    const value = readJson(schema, text);
    if (value.ok) return value.value;
    fail(call.response, value.error);
    return undefined;
  }

  function fail(response: ServerResponse, failure: LeaseFailure): void {
    count(failure.kind);
    const [status, title] = failure.kind === 'refused' ? [400, 'Lease call refused'] : [503, 'Leases unavailable'];
    writeProblem(response, problem(status, `lease-${failure.kind}`, title, { detail: failure.message }));
  }

  function answer<T>(
    response: ServerResponse,
    event: JobLeaseEvent,
    result: Result<T, LeaseFailure>,
    as: (value: T) => object,
  ) {
    if (!result.ok) return fail(response, result.error);
    count(event);
    writeJson(response, as(result.value));
  }

  async function lease(call: Call): Promise<void> {
    const { response } = call;
    const request = await read(call, leaseRequestSchema);
    if (request === undefined) return;
    const gone = hold(response);
    const sign = clock.every(leaseSignMs, () => response.writeProcessing());
    const leased = await leases.lease(request, gone.signal).finally(() => sign.cancel());
    if (!leased.ok) return fail(response, leased.error);
    const tasks = leased.value;
    count(tasks.length > 0 ? 'leased' : 'empty');
    if (tasks.length === 0) return writeJson(response, { tasks });
    if (await delivered(response, { tasks })) return;
    count('undelivered');
    await giveBack(request.worker_id, tasks);
  }

  /** Nobody heard of these leases: the next worker need not wait until they lapse. */
  async function giveBack(workerId: string, tasks: readonly LeasedTask[]): Promise<void> {
    for (const { task_id, fence } of tasks) {
      const back = await leases.end(workerId, { kind: 'returned', task_id, fence });
      if (!back.ok) log.warn('undelivered-lease-kept', { worker_id: workerId, task_id, fence, ...back.error });
    }
  }

  async function stops(workerId: string, response: ServerResponse): Promise<void> {
    if (streams.has(workerId)) count('stops-replaced');
    streams.get(workerId)?.abort();
    const gone = hold(response);
    streams.set(workerId, gone);
    count('stops-opened');
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
    response.socket?.setKeepAlive(true, leaseSignMs);
    const say = (line: string) => {
      if (response.writableLength <= maxCallBytes) return void response.write(`${line}\n`);
      count('stops-slow');
      response.destroy(); // it reads nothing: its orders are given again when it comes back
    };
    say('');
    const sign = clock.every(leaseSignMs, () => say(''));
    try {
      for await (const order of leases.stops(workerId, gone.signal)) say(JSON.stringify(order));
      response.end();
    } finally {
      sign.cancel();
      if (streams.get(workerId) === gone) streams.delete(workerId);
    }
  }

  /** Aborts when the worker is gone, or when this side closes. */
  function hold(response: ServerResponse): AbortController {
    const gone = new AbortController();
    held.add(gone);
    response.once('close', () => {
      held.delete(gone);
      gone.abort();
    });
    if (!open || response.closed) gone.abort();
    return gone;
  }

  async function serve(route: Route, call: Call): Promise<void> {
    const { response } = call;
    switch (route.kind) {
      case 'lease':
        return lease(call);
      case 'stops':
        call.request.resume();
        return stops(route.workerId, response);
      case 'reports': {
        const body = await read(call, reportsCallSchema);
        if (body === undefined) return;
        const standings = await leases.report(body.worker_id, body.reports);
        return answer(response, 'reported', standings, (value) => ({ standings: value }));
      }
      case 'ends': {
        const body = await read(call, endCallSchema, maxEndBytes);
        if (body === undefined) return;
        const standing = await leases.end(body.worker_id, body.end);
        return answer(response, 'ended', standing, (value) => ({ standing: value }));
      }
    }
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const route = parseRoute(request);
    if (typeof route === 'string') return fail(response, { kind: 'refused', message: route });
    if (!open || running.size >= maxRequests) {
      count('too-many');
      const detail = open ? `expected at most ${maxRequests} requests at a time` : 'this process is stopping';
      return writeProblem(response, problem(503, 'lease-unavailable', 'Leases unavailable', { detail }), {
        connection: 'close',
      });
    }
    const served = serve(route, { request, response })
      .catch((error: unknown) => {
        if (response.closed) return; // it went away while it was read
        count('crashed');
        log.error('lease-call-crashed', { call: route.kind, error });
        writeProblem(response, problem(500, 'internal-error', 'Internal error'), { connection: 'close' });
      })
      .finally(() => running.delete(served));
    running.add(served);
  }

  const mount: HttpMount = { prefix: leasesPath, holdsAnswers: true, handle };
  return {
    mount: guardMount(mount, serviceTokenGuard(options.serviceToken)),
    async [Symbol.asyncDispose]() {
      open = false;
      for (const gone of held) gone.abort();
      await Promise.all(running);
    },
  };
}

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

type Route = { readonly kind: 'lease' | 'reports' | 'ends' } | { readonly kind: 'stops'; readonly workerId: string };

/** What a request asks for; a string says what is wrong with it. */
function parseRoute(request: IncomingMessage): Route | string {
  const url = new URL(request.url ?? '/', 'http://progress');
  const path = url.pathname.slice(leasesPath.length);
  const workerId = url.searchParams.get('worker_id') ?? '';
  if (request.method === 'POST' && path === '') return { kind: 'lease' };
  if (request.method === 'POST' && path === '/reports') return { kind: 'reports' };
  if (request.method === 'POST' && path === '/ends') return { kind: 'ends' };
  if (request.method !== 'GET' || path !== '/stops') return 'expected POST /, /reports, /ends or GET /stops?worker_id=';
  if (workerId.length >= 1 && workerId.length <= 64) return { kind: 'stops', workerId };
  return `expected worker_id of 1 to 64 characters, got ${workerId.length}`;
}

async function readText(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const slices: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    length += bytes.length;
    if (length > maxBytes) return undefined;
    slices.push(bytes);
  }
  return Buffer.concat(slices).toString('utf8');
}

function writeJson(response: ServerResponse, value: object): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}

/** Writes an answer and says whether all of it went out to the worker's machine. */
function delivered(response: ServerResponse, value: object): Promise<boolean> {
  return new Promise((resolve) => {
    if (response.closed) return resolve(false);
    response.once('finish', () => resolve(true));
    response.once('close', () => resolve(response.writableFinished));
    writeJson(response, value);
  });
}
