import { Agent, type AgentOptions } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import type { LeasedTask } from '@millrace/api';
import type { Clock } from '@millrace/clock';
import type { Logger } from '@millrace/log';
import { err, ok, type Result } from '@millrace/result';
import type { z } from 'zod';
import {
  leasedSchema,
  leaseSilenceMs,
  leasesPath,
  maxCallBytes,
  maxEndBytes,
  maxTasksBytes,
  readJson,
  standingSchema,
  standingsSchema,
  tasksSchema,
} from './job-lease-wire.ts';
import { type JobLeases, jobHeartbeatMs, type LeaseFailure } from './job-leases.ts';
import { postLeaseCall } from './lease-call.ts';
import { readStops } from './stop-lines.ts';

export interface JobLeaseClientOptions {
  /** Progress's internal listener, e.g. `http://progress:8081`. */
  readonly baseUrl: string;
  readonly serviceToken: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Longest wait for the answer to a report, ms: several must fit into a lease. */
  readonly reportTimeoutMs?: number;
  /** Longest wait for the answer to an end, ms. */
  readonly endTimeoutMs?: number;
}

type Posting = {
  readonly path: string;
  readonly body: object;
  readonly silenceMs: number;
  readonly signal?: AbortSignal;
};

/**
 * The worker's side over HTTP. It does not repeat anything by itself: the worker does, with growing waits. Closing it cuts what is
 * under way: those calls are `unavailable`, and stop orders end.
 */
export function openJobLeaseClient(options: JobLeaseClientOptions): JobLeases & AsyncDisposable {
  const { clock, log } = options;
  const reportTimeoutMs = options.reportTimeoutMs ?? 1.5 * jobHeartbeatMs;
  const endTimeoutMs = options.endTimeoutMs ?? 3 * jobHeartbeatMs;
  const authorization = `Bearer ${options.serviceToken}`;
  const settings: AgentOptions = { keepAlive: true, keepAliveMsecs: 1_000, maxSockets: 64, maxFreeSockets: 8 };
  const agent = options.baseUrl.startsWith('https:') ? new TlsAgent(settings) : new Agent(settings);
  const closing = new AbortController();

  async function post<T>(posting: Posting, schema: z.ZodType<T>): Promise<Result<T, LeaseFailure>> {
    const { path, silenceMs } = posting;
    const url = new URL(`${leasesPath}${path}`, options.baseUrl);
    const body = JSON.stringify(posting.body);
    const limit = path === '/ends' ? maxEndBytes : maxCallBytes;
    const bytes = Buffer.byteLength(body);
    if (bytes > limit) {
      return err({ kind: 'refused', message: `expected at most ${limit} bytes for ${url.pathname}, got ${bytes}` });
    }
    const signal = posting.signal ?? closing.signal;
    const call = { url, authorization, agent, clock, body, silenceMs, signal, maxAnswerBytes: maxTasksBytes };
    const answer = await postLeaseCall(call);
    if (answer.kind === 'aborted') return err({ kind: 'unavailable', message: 'the call was given up' });
    if (answer.kind === 'failed') return err({ kind: 'unavailable', message: answer.message });
    if (answer.status === 200) {
      const value = readJson(schema, answer.text);
      return value.ok ? value : err({ kind: 'unavailable', message: `${url.host} answered: ${value.error.message}` });
    }
    if (answer.status === 401) log.error('service-token-refused', { url: url.href });
    const refused = answer.status === 400 || answer.status === 413;
    const message = `${url.host} answered ${answer.status}: ${answer.text.slice(0, 500)}`;
    return err({ kind: refused ? 'refused' : 'unavailable', message });
  }

  /** `signal`, and the end of this client. */
  function linked(signal: AbortSignal): { readonly signal: AbortSignal } & Disposable {
    const both = new AbortController();
    const abort = () => both.abort();
    for (const each of [signal, closing.signal]) {
      if (each.aborted) abort();
      each.addEventListener('abort', abort, { once: true });
    }
    return {
      signal: both.signal,
      [Symbol.dispose]() {
        for (const each of [signal, closing.signal]) each.removeEventListener('abort', abort);
      },
    };
  }

  return {
    async lease(request, signal) {
      using until = linked(signal);
      const leased = await post(
        { path: '', body: request, silenceMs: leaseSilenceMs, signal: until.signal },
        tasksSchema,
      );
      if (!leased.ok) return signal.aborted ? ok([]) : leased;
      const tasks: LeasedTask[] = [];
      for (const each of leased.value.tasks) {
        const task = leasedSchema.safeParse(each);
        if (task.success) tasks.push(task.data);
        else log.error('leased-task-not-understood', { message: task.error.message.slice(0, 2_000) });
      }
      return ok(tasks);
    },
    async report(workerId, reports) {
      const body = { worker_id: workerId, reports };
      const answer = await post({ path: '/reports', body, silenceMs: reportTimeoutMs }, standingsSchema);
      if (!answer.ok) return answer;
      const { standings } = answer.value;
      if (standings.length === reports.length) return ok(standings);
      const message = `expected ${reports.length} standings, got ${standings.length}`;
      return err({ kind: 'unavailable', message });
    },
    async end(workerId, end) {
      const body = { worker_id: workerId, end };
      const answer = await post({ path: '/ends', body, silenceMs: endTimeoutMs }, standingSchema);
      return answer.ok ? ok(answer.value.standing) : answer;
    },
    async *stops(workerId, signal) {
      using until = linked(signal);
      const url = new URL(`${leasesPath}/stops?worker_id=${encodeURIComponent(workerId)}`, options.baseUrl);
      yield* readStops({ url, authorization, agent, clock, signal: until.signal });
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      agent.destroy();
    },
  };
}
