/** A generator over HTTP, as docs/images.md describes it. Redirects are not followed: the key goes to the provider and to nobody else. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TaskFailure } from '@millrace/api';
import { err, ok, type Result } from '@millrace/result';
import { z } from 'zod';
import type { VideoGenerator } from '../core/video-generator.ts';

export interface HttpGeneratorOptions {
  readonly name: string;
  /** Without a slash at the end. */
  readonly url: string;
  /** Shown as a Bearer token. */
  readonly key: string | undefined;
  /** Longest that a call may take, ms; the download may take ten times as long. */
  readonly timeoutMs?: number;
  /** Largest video, bytes. */
  readonly maxBytes?: number;
}

const begunSchema = z.object({ id: z.string().regex(/^[A-Za-z0-9._~-]{1,200}$/) });
const stateSchema = z.object({
  status: z.enum(['queued', 'running', 'completed', 'failed']),
  progress: z.number().min(0).max(1).optional(),
  reason: z.string().max(2_000).optional(),
  retryable: z.boolean().optional(),
});
const mostAnswerBytes = 64 * 1_024;

export function createHttpVideoGenerator(options: HttpGeneratorOptions): VideoGenerator {
  const { name, url, key, timeoutMs = 30_000, maxBytes = 4 * 1_024 ** 3 } = options;
  const jobUrl = (id: string) => `${url}/jobs/${encodeURIComponent(id)}`;

  /** Asks, and hands a good answer to `read` within the time that is left. */
  async function ask<T>(
    what: { readonly method: string; readonly url: string; readonly body?: unknown; readonly idempotencyKey?: string },
    signal: AbortSignal,
    patienceMs: number,
    read: (answer: Response, signal: AbortSignal) => Promise<Result<T, TaskFailure>>,
  ): Promise<Result<T, TaskFailure>> {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
    try {
      const answer = await fetch(what.url, {
        method: what.method,
        redirect: 'error',
        signal: bounded,
        headers: {
          accept: '*/*',
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
          ...(what.idempotencyKey === undefined ? {} : { 'idempotency-key': what.idempotencyKey }),
          ...(what.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(what.body === undefined ? {} : { body: JSON.stringify(what.body) }),
      });
      if (answer.ok) return await read(answer, bounded);
      await answer.body?.cancel();
      return err(refusedWith(answer.status));
    } catch (error) {
      signal.throwIfAborted();
      const why = bounded.aborted ? `did not answer within ${patienceMs} ms` : 'cannot be reached';
      return err(failure('provider-unavailable', `${why}${error instanceof SyntaxError ? ' in JSON' : ''}`, true));
    }
  }

  function failure(code: string, what: string, retryable: boolean): TaskFailure {
    return { code, reason: `the provider ${name} ${what}`, retryable };
  }

  function refusedWith(status: number): TaskFailure {
    const passing = status >= 500 || status === 408 || status === 425 || status === 429;
    return failure(passing ? 'provider-unavailable' : 'provider-refused', `answered ${status}`, passing);
  }

  async function readAs<T>(schema: z.ZodType<T>, answer: Response): Promise<Result<T, TaskFailure>> {
    const text = await readText(answer);
    const read = text === undefined ? undefined : schema.safeParse(JSON.parse(text));
    if (read?.success === true) return ok(read.data);
    return err(failure('provider-broken', 'answered something that docs/images.md does not describe', false));
  }

  return {
    async begin(order, signal) {
      const what = { method: 'POST', url: `${url}/jobs`, body: order, idempotencyKey: order.request_id };
      const begun = await ask(what, signal, timeoutMs, (answer) => readAs(begunSchema, answer));
      return begun.ok ? ok(begun.value.id) : begun;
    },
    async state(id, signal) {
      const what = { method: 'GET', url: jobUrl(id) };
      const read = await ask(what, signal, timeoutMs, (answer) => readAs(stateSchema, answer));
      if (!read.ok) return read;
      const { status, progress, reason, retryable } = read.value;
      if (status === 'completed') return ok({ kind: 'completed' });
      if (status !== 'failed') return ok({ kind: 'working', done: progress });
      return ok({ kind: 'failed', reason: reason ?? 'no reason was given', retryable: retryable ?? false });
    },
    fetch(id, path, signal) {
      const what = { method: 'GET', url: `${jobUrl(id)}/video` };
      return ask(what, signal, timeoutMs * 10, async (answer, bounded) => {
        let bytes = 0;
        async function* counted(): AsyncGenerator<Uint8Array> {
          for await (const piece of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
            bytes += piece.byteLength;
            if (bytes > maxBytes) return;
            yield piece;
          }
        }
        const pieces = Readable.from(counted(), { objectMode: false });
        await pipeline(pieces, createWriteStream(path), { signal: bounded });
        if (bytes <= maxBytes) return ok(bytes);
        return err(failure('provider-refused', `sent more than ${maxBytes} bytes`, false));
      });
    },
    async cancel(id, signal) {
      const what = { method: 'DELETE', url: jobUrl(id) };
      const cancelled = await ask(what, signal, timeoutMs, async (answer) => {
        await answer.body?.cancel();
        return ok();
      });
      return cancelled.ok || cancelled.error.code === 'provider-refused' ? ok() : cancelled;
    },
  };
}

/** The whole text; undefined: it is too long. */
async function readText(answer: Response): Promise<string | undefined> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += piece.byteLength;
    if (bytes > mostAnswerBytes) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
