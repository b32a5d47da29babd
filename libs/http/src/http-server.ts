/**
 * A listener on plain node:http for mounts. It bounds what a peer may hold: connections, header bytes, the time to send a
 * request and to stay idle. Closing it drains: no new connections, running requests get `drainMs`, then every socket
 * is destroyed, upgraded ones too. A service that has to end upgraded connections by itself calls `stopAccepting` first.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from '@millrace/log';
import { boundBodyTime } from './body-time.ts';
import { type HttpMetrics, routeOf } from './http-metrics.ts';
import { toListenError } from './listen-error.ts';
import { createMountTable, targetPath } from './mount-table.ts';
import { problem, writeProblem } from './problem.ts';
import type { HttpMount } from './service.ts';

export interface HttpLimits {
  readonly headersTimeoutMs: number;
  /** Longest time to receive a body; for a mount that takes long ones, the longest silence in it. */
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxHeaderBytes: number;
  readonly maxConnections: number;
  /** Longest wait for running requests when the server closes. */
  readonly drainMs: number;
  /** A request that takes longer is logged, unless its mount holds answers on purpose. */
  readonly slowRequestMs: number;
}

export const defaultHttpLimits: HttpLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 20_000,
  maxHeaderBytes: 16 * 1024,
  maxConnections: 10_000,
  drainMs: 5_000,
  slowRequestMs: 1_000,
};

export interface HttpServerOptions {
  readonly host: string;
  /** 0 asks the system for a free one. */
  readonly port: number;
  readonly mounts: readonly HttpMount[];
  readonly log: Logger;
  readonly limits?: Partial<HttpLimits>;
  /** PEM texts; with them the listener speaks TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly metrics?: HttpMetrics;
  /** The environment variable that chooses the port, for the message when it is in use. Default `HTTP_PORT`. */
  readonly portSetting?: string;
}

export interface HttpServer extends AsyncDisposable {
  readonly port: number;
  readonly address: string;
  /** Refuses new connections and lets the open ones finish; closing does this too. */
  stopAccepting(): void;
}

/** Opens a listener. Throws a ListenError (`port-in-use`...) when the port cannot be had. */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { log, metrics } = options;
  const limits = { ...defaultHttpLimits, ...options.limits };
  const find = createMountTable(options.mounts);
  const sockets = new Set<Socket>();
  const running = new Set<ServerResponse>();
  let draining = false;
  let onIdle: (() => void) | undefined;

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const startedMs = performance.now();
    const path = targetPath(request.url ?? '');
    const mount = path === undefined ? undefined : find(path);
    running.add(response);
    if (draining) response.setHeader('connection', 'close');
    response.once('close', () => {
      running.delete(response);
      if (running.size === 0) onIdle?.();
      const durationMs = performance.now() - startedMs;
      const route = routeOf(response, mount?.prefix ?? 'none');
      metrics?.observe(route, request.method ?? '', response.writableFinished ? response.statusCode : 0, durationMs);
      if (durationMs > limits.slowRequestMs && mount?.holdsAnswers !== true) {
        const took_ms = Math.round(durationMs);
        log.warn('slow-request', { route, method: request.method, status: response.statusCode, took_ms });
      }
    });
    boundBodyTime(request, response, limits.requestTimeoutMs, mount?.takesLongBodies === true);
    if (path === undefined) {
      const detail = 'expected a request target that starts with "/"';
      return writeProblem(response, problem(400, 'bad-target', 'Bad request target', { detail }));
    }
    if (mount === undefined) {
      const detail = `nothing answers at ${path.slice(0, 200)}`;
      return writeProblem(response, problem(404, 'not-found', 'Not found', { detail }));
    }
    try {
      mount.handle(request, response);
    } catch (error) {
      log.error('request-crashed', { route: mount.prefix, method: request.method, error });
      writeProblem(response, problem(500, 'internal-error', 'Internal error'));
    }
  };

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy()); // a peer that resets must not crash the process
    const path = targetPath(request.url ?? '');
    const mount = path === undefined ? undefined : find(path);
    if (mount?.upgrade === undefined || draining) {
      const status = draining ? '503 Service Unavailable' : '404 Not Found';
      socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    try {
      mount.upgrade(request, socket, head);
    } catch (error) {
      log.error('upgrade-crashed', { route: mount.prefix, error });
      socket.destroy();
    }
  };

  const server = openServer(options, limits, onRequest);
  server.on('upgrade', onUpgrade);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    metrics?.connections(1);
    socket.once('close', () => {
      sockets.delete(socket);
      metrics?.connections(-1);
    });
  });
  server.on('drop', () => metrics?.connectionRefused('too-many'));
  server.on('clientError', (error: Error & { code?: string }, socket: Duplex) => {
    metrics?.connectionRefused('bad-request');
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else socket.end(`HTTP/1.1 ${clientErrorStatus(error.code)}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  });
  await listen(server, options);
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error(`expected a TCP address, got ${String(address)}`);

  const stopAccepting = (): void => {
    if (draining) return;
    draining = true;
    server.close();
    server.closeIdleConnections();
    for (const response of running) if (!response.headersSent) response.setHeader('connection', 'close');
  };
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.once('close', resolve));
    const listening = server.listening;
    stopAccepting();
    if (running.size > 0) await waitBounded((done) => (onIdle = done), limits.drainMs);
    if (running.size > 0) log.warn('drain-overran', { requests: running.size, drain_ms: limits.drainMs });
    for (const socket of sockets) socket.destroy();
    if (listening) await closed;
  };
  return {
    port: address.port,
    address: address.address,
    stopAccepting,
    [Symbol.asyncDispose]: () => (closing ??= close()),
  };
}

function openServer(
  options: HttpServerOptions,
  limits: HttpLimits,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const serverOptions = {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: 0, // see body-time.ts
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    maxHeaderSize: limits.maxHeaderBytes,
    connectionsCheckingInterval: Math.min(5_000, limits.headersTimeoutMs),
    noDelay: true,
  };
  const server =
    options.tls === undefined
      ? createServer(serverOptions, onRequest)
      : createTlsServer({ ...serverOptions, ...options.tls }, onRequest);
  server.maxConnections = limits.maxConnections;
  return server;
}

function listen(server: Server, options: HttpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(toListenError(error, options.host, options.port, options.portSetting ?? 'HTTP_PORT')),
    );
    server.listen({ host: options.host, port: options.port }, resolve);
  });
}

function clientErrorStatus(code: string | undefined): string {
  if (code === 'HPE_HEADER_OVERFLOW') return '431 Request Header Fields Too Large';
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request';
}

function waitBounded(subscribe: (done: () => void) => void, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    subscribe(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
