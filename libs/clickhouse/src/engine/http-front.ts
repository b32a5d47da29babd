/**
 * The part of ClickHouse's HTTP interface that @clickhouse/client 1.23 uses, in front of the embedded engine. What it does not
 * have (sessions, roles, native compression) it refuses by name.
 */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type EngineException, exceptionOf, refusalException } from './exception.ts';
import { EngineBusyError, QueryAbandonedError, type QueryRunner, type RunSummary } from './query-runner.ts';
import { readQuery } from './query-text.ts';
import { type BodyLimits, BodyRefusedError, type RequestBody, readBody } from './request-body.ts';
import { type RequestTarget, readTarget } from './request-target.ts';
import { commonHeaders, sendRows, summaryHeader } from './result-response.ts';

export interface HttpFrontOptions {
  readonly runner: QueryRunner;
  readonly version: string;
  readonly password: string;
  readonly user: string;
  /** For bodies too large for memory. */
  readonly dir: string;
  readonly limits: Omit<BodyLimits, 'file'>;
}

/** Makes the server; its owner listens and closes. */
export function createHttpFront(options: HttpFrontOptions): Server {
  const expected = digest(`${options.user}:${options.password}`);
  const server = createServer(
    { keepAliveTimeout: 10_000, requestTimeout: 600_000, maxHeaderSize: 1 << 20 },
    (request, response) => {
      request.on('error', () => {}); // seen by whoever reads the body
      response.on('error', () => {}); // the client is gone: its query is cancelled by `close`
      answer(options, expected, request, response).catch((error: unknown) => {
        if (!response.headersSent) sendException(request, response, exceptionOf(error, options.version), '');
        else response.destroy();
      });
    },
  );
  server.maxConnections = 512;
  return server;
}

async function answer(
  options: HttpFrontOptions,
  expected: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname === '/ping' || url.pathname === '/replicas_status') return sendText(request, response, 200, 'Ok.\n');
  if (url.pathname !== '/') return sendText(request, response, 404, `There is no handle ${url.pathname}\n`);
  if (!timingSafeEqual(credentials(request, url.searchParams), expected)) {
    const message = 'default: Authentication failed: password is incorrect, or there is no user with such name';
    const refusal = { code: 516, type: 'AUTHENTICATION_FAILED', message };
    return sendException(request, response, refusalException(refusal, options.version), '');
  }
  const queryId = url.searchParams.get('query_id') ?? randomUUID();
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    const target = readTarget(url.searchParams);
    if (!target.ok) return sendException(request, response, refusalException(target.error, options.version), queryId);
    const method = request.method ?? 'GET';
    if (method !== 'GET' && method !== 'POST' && method !== 'HEAD')
      return sendText(request, response, 405, `expected GET or POST, got ${method}\n`);
    await runRequest(options, request, response, readonlyOfGet(target.value, method), queryId, gone.signal);
  } catch (error) {
    if (error instanceof QueryAbandonedError || response.destroyed) return;
    if (response.headersSent) throw error;
    const known = error instanceof EngineBusyError || error instanceof BodyRefusedError;
    const exception = known ? refusalException(error.refusal, options.version) : exceptionOf(error, options.version);
    sendException(request, response, exception, queryId);
  }
}

/** A GET must not change anything, as on the server. */
function readonlyOfGet(target: RequestTarget, method: string): RequestTarget {
  if (method === 'POST' || target.settings.some(([name]) => name === 'readonly')) return target;
  return { ...target, settings: [...target.settings, ['readonly', '2']] };
}

async function runRequest(
  options: HttpFrontOptions,
  request: IncomingMessage,
  response: ServerResponse,
  asked: RequestTarget,
  queryId: string,
  signal: AbortSignal,
): Promise<void> {
  const { runner, version } = options;
  const file = join(options.dir, `body-${randomUUID()}`);
  const early = asked.query === undefined ? undefined : readQuery(asked.query);
  if (early?.ok === false && early.error.code !== 62)
    return sendException(request, response, refusalException(early.error, version), queryId);
  const mayBeLarge = early?.ok === true && early.value.kind === 'insert';
  const body = await readBody(request, { ...options.limits, file: mayBeLarge ? file : undefined });
  try {
    const { target, rest } = await unwrapMultipart(asked, body, request.headers['content-type']);
    const text =
      mayBeLarge && early.ok ? early : readQuery([target.query, rest.toString('utf8')].filter(Boolean).join('\n'));
    if (!text.ok) return sendException(request, response, refusalException(text.error, version), queryId);
    switch (text.value.kind) {
      case 'rows': {
        const rows = await runner.rows(target, text.value, signal);
        const format = text.value.format ?? target.defaultFormat;
        const head = {
          queryId,
          format,
          acceptEncoding: request.headers['accept-encoding'],
          compress: target.compressResponse,
        };
        return await sendRows(response, rows, head, (error) => exceptionOf(error, version));
      }
      case 'insert': {
        const { prefix, format, data } = text.value;
        if (body.kind === 'file') {
          const done = await runner.insertFile(target, prefix, format, body.path, signal);
          return sendDone(response, done, queryId, undefined, target);
        }
        const inline = Buffer.from(data.replace(/^[ \t]*\r?\n/, ''), 'utf8');
        const rows = mayBeLarge ? (data.trim() === '' ? body.bytes : Buffer.concat([inline, body.bytes])) : inline;
        const done = rows.length === 0 ? {} : await runner.insert(target, prefix, rows, signal);
        return sendDone(response, done, queryId, undefined, target);
      }
      case 'command': {
        const { bytes, ...done } = await runner.command(target, text.value.text, signal);
        return sendDone(response, done, queryId, bytes, target);
      }
    }
  } finally {
    rmSync(file, { force: true });
  }
}

/** Long query parameters come as a form: `query` and `param_*` in parts of the body. */
async function unwrapMultipart(
  target: RequestTarget,
  body: RequestBody,
  contentType: string | undefined,
): Promise<{ target: RequestTarget; rest: Buffer }> {
  if (body.kind === 'file') return { target, rest: Buffer.alloc(0) };
  if (contentType?.startsWith('multipart/form-data') !== true) return { target, rest: body.bytes };
  const form = await new Response(new Uint8Array(body.bytes), { headers: { 'content-type': contentType } }).formData();
  const parameters = [...target.parameters];
  let query = target.query;
  for (const [name, value] of form) {
    if (typeof value !== 'string') continue;
    if (name === 'query') query = value;
    else if (/^param_[A-Za-z_]\w*$/.test(name)) parameters.push([name.slice('param_'.length), value]);
  }
  return { target: { ...target, query, parameters }, rest: Buffer.alloc(0) };
}

function sendDone(
  response: ServerResponse,
  summary: Partial<RunSummary>,
  queryId: string,
  bytes: Uint8Array | undefined,
  target: RequestTarget,
): void {
  response.writeHead(200, {
    ...commonHeaders(queryId, target.defaultFormat, 'UTC'),
    'X-ClickHouse-Summary': summaryHeader(summary),
    'Content-Length': bytes?.length ?? 0,
  });
  response.end(bytes);
}

function sendException(
  request: IncomingMessage,
  response: ServerResponse,
  exception: EngineException,
  queryId: string,
): void {
  const body = Buffer.from(`${exception.text}\n`);
  if (!request.complete) response.setHeader('Connection', 'close');
  request.resume();
  response.writeHead(exception.status, {
    ...commonHeaders(queryId, 'TabSeparated', 'UTC'),
    'Content-Type': 'text/plain; charset=UTF-8',
    'X-ClickHouse-Exception-Code': exception.code,
    'Content-Length': body.length,
  });
  response.end(body);
}

function sendText(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  request.resume();
  response.writeHead(status, { 'Content-Type': 'text/html; charset=UTF-8', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

function credentials(request: IncomingMessage, search: URLSearchParams): Buffer {
  const { authorization } = request.headers;
  if (authorization?.startsWith('Basic ') === true)
    return digest(Buffer.from(authorization.slice('Basic '.length), 'base64').toString('utf8'));
  const header = (name: string) => String(request.headers[name] ?? '');
  const user = header('x-clickhouse-user') || search.get('user') || 'default';
  return digest(`${user}:${header('x-clickhouse-key') || (search.get('password') ?? '')}`);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
