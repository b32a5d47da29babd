import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { silentLogger } from '@millrace/log';
import { openMetricsRegistry } from '@millrace/metrics';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpMetrics } from './http-metrics.ts';
import { type HttpServer, type HttpServerOptions, openHttpServer } from './http-server.ts';
import { ListenError } from './listen-error.ts';
import type { HttpMount } from './service.ts';
import { guardMount, serviceTokenGuard } from './service-token.ts';

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function open(mounts: readonly HttpMount[], more: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const server = await openHttpServer({ host: '127.0.0.1', port: 0, mounts, log: silentLogger, ...more });
  opened.push(server);
  return server;
}

function says(prefix: string, text = prefix): HttpMount {
  return { prefix, handle: (_, response) => void response.end(text) };
}

async function get(server: HttpServer, path: string, init: RequestInit = {}): Promise<[number, string]> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
  return [response.status, await response.text()];
}

/** Sends raw bytes; resolves with all that came until the other side closed. */
function raw(server: HttpServer, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(text));
    let got = '';
    socket.on('data', (bytes) => {
      got += bytes.toString();
    });
    socket.on('error', () => resolve(got));
    socket.on('close', () => resolve(got));
  });
}

describe('a listener', () => {
  it('gives a request to the longest prefix, on segment boundaries only', async () => {
    const server = await open([says('/'), says('/live'), says('/api/v1'), says('/api/v1/streams')]);
    expect(await get(server, '/live/x')).toEqual([200, '/live']);
    expect(await get(server, '/live?q=1')).toEqual([200, '/live']);
    expect(await get(server, '/livestock')).toEqual([200, '/']);
    expect(await get(server, '/api/v1/streams/1')).toEqual([200, '/api/v1/streams']);
    expect(await get(server, '/api/v1/streamsx')).toEqual([200, '/api/v1']);
    expect(await get(server, '/')).toEqual([200, '/']);
  });

  it('answers what nothing is mounted at with a 404 problem', async () => {
    const server = await open([says('/live')]);
    const response = await fetch(`http://127.0.0.1:${server.port}/nothing`);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ type: '/problems/not-found', status: 404 });
  });

  it('refuses two mounts of one prefix and malformed prefixes at once', async () => {
    await expect(open([says('/a'), says('/a')])).rejects.toThrow('taken twice');
    await expect(open([says('/a/')])).rejects.toThrow('trailing slash');
    await expect(open([says('a')])).rejects.toThrow('mount prefix');
  });

  it('says which port is in use and what to set', async () => {
    const first = await open([]);
    const second = openHttpServer({
      host: '127.0.0.1',
      port: first.port,
      mounts: [],
      log: silentLogger,
      portSetting: 'X_PORT',
    });
    const error = await second.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ListenError);
    expect(error).toMatchObject({ kind: 'port-in-use', port: first.port });
    expect(String(error)).toContain(`port ${first.port} is in use`);
    expect(String(error)).toContain('set X_PORT');
  });

  it('a mount that throws is answered with 500 and the next request is served', async () => {
    const broken: HttpMount = {
      prefix: '/broken',
      handle: () => {
        throw new Error('bug');
      },
    };
    const server = await open([broken, says('/fine')]);
    expect((await get(server, '/broken'))[0]).toBe(500);
    expect(await get(server, '/fine')).toEqual([200, '/fine']);
  });

  it('cuts off a peer whose head is too large or not HTTP', async () => {
    const server = await open([says('/')]);
    const large = `GET / HTTP/1.1\r\nhost: x\r\nx-large: ${'y'.repeat(20_000)}\r\n\r\n`;
    expect(await raw(server, large)).toMatch(/^HTTP\/1.1 431 /);
    expect(await raw(server, '\x03RTMP?\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    expect(await raw(server, 'OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
  });

  it('cuts off a peer that does not finish its head in time', async () => {
    const limits = { headersTimeoutMs: 60, requestTimeoutMs: 100 };
    const server = await open([says('/')], { limits });
    expect(await raw(server, 'GET / HTTP/1.1\r\nhost: x\r\n')).toMatch(/^HTTP\/1.1 408 /);
  });

  it('cuts off a peer that does not finish its body in time, unless its mount takes long ones', async () => {
    const limits = { requestTimeoutMs: 250 };
    const takes = (prefix: string): HttpMount => ({
      prefix,
      handle: (request, response) => void request.resume().on('end', () => response.end('whole')),
    });
    const server = await open([takes('/short'), { ...takes('/long'), takesLongBodies: true }], { limits });
    const slowly = (path: string, pieces: number) =>
      new Promise<string>((resolve) => {
        const socket = connect(server.port, '127.0.0.1', () => {
          socket.write(`PUT ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5\r\n\r\n`);
          let sent = 0;
          const timer = setInterval(() => (sent++ < pieces ? socket.write('x') : clearInterval(timer)), 60);
        });
        let text = '';
        socket.on('data', (piece) => (text += String(piece)));
        socket.on('error', () => {}); // it was cut off while we wrote
        socket.on('close', () => resolve(text));
      });
    expect(await slowly('/short', 5)).toMatch(/^HTTP\/1.1 408 /);
    expect(await slowly('/long', 5)).toMatch(/^HTTP\/1.1 200 [\s\S]*whole$/);
    expect(await slowly('/long', 2)).toBe('');
  });

  it('gives an upgrade to its mount and refuses others', async () => {
    const echo: HttpMount = {
      ...says('/ws'),
      upgrade: (_, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n');
        socket.end('hello');
      },
    };
    const server = await open([echo, says('/plain')]);
    const head = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n`;
    expect(await raw(server, head('/ws'))).toMatch(/^HTTP\/1.1 101 [\s\S]*hello$/);
    expect(await raw(server, head('/plain'))).toMatch(/^HTTP\/1.1 404 /);
  });

  it('lets running requests finish when it closes, and then destroys idle and upgraded sockets', async () => {
    let finish = () => {};
    const started = new Promise<void>((resolve) => {
      const slow: HttpMount = {
        prefix: '/slow',
        handle: (_, response) => {
          finish = () => void response.end('done');
          resolve();
        },
      };
      const held: HttpMount = {
        ...says('/held'),
        upgrade: (_, socket) =>
          void socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
      };
      void open([slow, held]).then(run); // awaited through `started` and `outcome`
    });
    let outcome: Promise<{ slow: [number, string]; refused: unknown; upgraded: string }> | undefined;
    async function run(server: HttpServer) {
      const upgraded = raw(server, 'GET /held HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
      const slow = get(server, '/slow');
      outcome = started.then(async () => {
        const closing = server[Symbol.asyncDispose]();
        const refused = await fetch(`http://127.0.0.1:${server.port}/slow`).catch((error: unknown) => error);
        finish();
        await closing;
        return { slow: await slow, refused, upgraded: await upgraded };
      });
    }
    await started;
    const result = await outcome;
    expect(result?.slow).toEqual([200, 'done']);
    expect(result?.refused).toBeInstanceOf(TypeError);
    expect(result?.upgraded).toMatch(/^HTTP\/1.1 101 /);
  });

  it('does not wait longer than the bound for a request that hangs', async () => {
    let arrived = () => {};
    const waiting = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const hangs: HttpMount = { prefix: '/', handle: () => arrived() };
    const server = await openHttpServer({
      host: '127.0.0.1',
      port: 0,
      mounts: [hangs],
      log: silentLogger,
      limits: { drainMs: 30 },
    });
    const request = fetch(`http://127.0.0.1:${server.port}/`).catch((error: unknown) => error);
    await waiting;
    await server[Symbol.asyncDispose]();
    expect(await request).toBeInstanceOf(Error);
  });

  it('counts requests by route, method and status class, and clients that went', async () => {
    const registry = openMetricsRegistry({ processMetrics: false });
    let hung: (socket: Socket) => void = () => {};
    const held = new Promise<Socket>((resolve) => {
      hung = resolve;
    });
    const hangs: HttpMount = { prefix: '/hang', handle: (request) => hung(request.socket) };
    const server = await open([says('/live'), hangs], { metrics: createHttpMetrics(registry) });
    await get(server, '/live/abc');
    await get(server, '/nowhere');
    const request = httpRequest({ port: server.port, path: '/hang', host: '127.0.0.1' });
    request.on('error', () => {});
    request.end();
    const socket = await held;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    request.destroy();
    await closed;
    const text = await registry.metrics();
    expect(text).toContain('millrace_http_requests_total{route="/live",method="GET",status="2xx"} 1');
    expect(text).toContain('millrace_http_requests_total{route="none",method="GET",status="4xx"} 1');
    expect(text).toContain('millrace_http_requests_total{route="/hang",method="GET",status="aborted"} 1');
    expect(text).not.toContain('abc');
  });
});

describe('the service token', () => {
  const token = 'a-service-token-of-some-length';

  it('is needed for requests and upgrades of a guarded mount', async () => {
    const inner: HttpMount = {
      ...says('/internal'),
      upgrade: (_, socket) => void socket.end('HTTP/1.1 101 x\r\n\r\n'),
    };
    const server = await open([guardMount(inner, serviceTokenGuard(token))]);
    expect((await get(server, '/internal'))[0]).toBe(401);
    expect((await get(server, '/internal', { headers: { authorization: `Bearer ${token}x` } }))[0]).toBe(401);
    expect(await get(server, '/internal', { headers: { authorization: `Bearer ${token}` } })).toEqual([
      200,
      '/internal',
    ]);
    const head = 'GET /internal HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: x\r\n';
    expect(await raw(server, `${head}\r\n`)).toMatch(/^HTTP\/1.1 401 /);
    expect(await raw(server, `${head}authorization: Bearer ${token}\r\n\r\n`)).toMatch(/^HTTP\/1.1 101 /);
  });

  it('that could be guessed is refused at start', () => {
    expect(() => serviceTokenGuard('short')).toThrow('at least 16 characters');
  });
});
