/** The built studio, the fake API and the fake live stream on one port, and a real Chromium before them. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { FakeApi } from './fake-api.ts';
import { encodeSegments, FakeLive } from './fake-live.ts';
import { FakeUploads } from './fake-uploads.ts';
import { encodeVod, vodFile } from './fake-vod.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const chromiumArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--mute-audio',
  // As for people: no sound before the first touch.
  '--autoplay-policy=document-user-activation-required',
];

export interface Visitor {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Console errors and warnings, uncaught errors, and requests to other hosts. */
  readonly complaints: string[];
}

export class Site implements AsyncDisposable {
  readonly api = new FakeApi();
  readonly live: FakeLive;
  readonly uploads = new FakeUploads();
  /** Folder of what was encoded. */
  readonly dir: string;
  /** CMCD reports as they came. */
  readonly reports: { readonly path: string; readonly type: string | undefined; readonly body: string }[] = [];
  /** Pictures and thumbnails as they were asked for. */
  readonly pictures: string[] = [];
  readonly mediaAsked: { readonly path: string; readonly headers: readonly string[] }[] = [];
  /** The folder of the built studio. */
  readonly dist: string;
  readonly origin: string;
  readonly #close: () => Promise<void>;
  readonly #browser: Browser;

  private constructor(dir: string, live: FakeLive, origin: string, browser: Browser, close: () => Promise<void>) {
    this.dir = dir;
    this.dist = join(dir, 'dist');
    this.live = live;
    this.origin = origin;
    this.api.origin = origin;
    this.api.media.origin = origin;
    this.#browser = browser;
    this.#close = close;
  }

  /** Builds the studio into a temporary folder and serves it. `encode` also makes the live stream's segments, `vod` a video. */
  static async open(options: { readonly encode: boolean; readonly vod?: boolean }): Promise<Site> {
    const dir = await mkdtemp(join(tmpdir(), 'studio-site-'));
    const root = join(import.meta.dirname, '..');
    await Promise.all([
      build({
        root,
        configFile: join(root, 'vite.config.ts'),
        logLevel: 'error',
        build: { outDir: join(dir, 'dist') },
      }),
      options.encode ? encodeSegments(dir) : undefined,
      options.vod ? encodeVod(dir) : undefined,
    ]);
    const live = new FakeLive(dir);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the server has no port');
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: chromiumArgs });
    const site = new Site(dir, live, `http://127.0.0.1:${address.port}`, browser, async () => {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(dir, { recursive: true, force: true });
    });
    server.on('request', (request, response) => {
      serve(site, dir, request, response).catch(() => response.destroy());
    });
    server.on('upgrade', (request, socket, head) => site.api.hub.upgrade(request, socket, head));
    return site;
  }

  /** A new browser profile with one page. */
  async visitor(options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await this.#browser.newContext({ baseURL: this.origin, ...options });
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(this.origin) && !/^(blob|data):/.test(url)) complaints.push(`request to ${url}`);
    });
    return { page, context, complaints };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

async function serve(site: Site, dir: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', site.origin);
  if (url.pathname.startsWith('/api/v1/')) {
    if (site.api.unreachable) return void response.destroy();
    const [, upload] = /^\/api\/v1\/uploads(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    if (url.pathname.startsWith('/api/v1/uploads')) return site.uploads.answer(upload, request, response);
    if (/^\/api\/v1\/images\/.*\/(source|thumbnail)$/.test(url.pathname)) {
      site.pictures.push(url.pathname + url.search);
      const signedIn = request.headers.authorization !== undefined;
      const poster = signedIn ? await vodFile(dir, 'poster.jpg') : undefined;
      return void response.writeHead(poster ? 200 : 401, { 'content-type': 'image/jpeg' }).end(poster?.body);
    }
    const body = await readJson(request);
    const path = url.pathname.slice('/api/v1'.length) + url.search;
    const answer = site.api.answer(request.method ?? 'GET', path, body, request.headers.authorization);
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    return void response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  }
  if (/^\/(live|vod)\//.test(url.pathname) && request.method === 'POST') {
    site.reports.push({ path: url.pathname, type: request.headers['content-type'], body: await readText(request) });
    return void response.writeHead(204).end();
  }
  if (url.pathname.startsWith('/live/')) {
    site.mediaAsked.push({ path: url.pathname + url.search, headers: Object.keys(request.headers) });
    const answer = await site.live.answer(url.pathname.replace(/^\/live\/[^/]+\/(playback-token\/)?/, ''));
    if (answer === 'fail') return void response.writeHead(500).end();
    if (answer === undefined) return void response.writeHead(404).end();
    return void response.writeHead(200, { 'content-type': answer.type, 'cache-control': 'no-store' }).end(answer.body);
  }
  if (url.pathname.startsWith('/vod/')) {
    const file = await vodFile(dir, url.pathname.replace(/^\/vod\/[^/]+\/(h\.p\.s\/)?/, ''));
    if (file === undefined || url.pathname.startsWith('/vod/unknown')) return void response.writeHead(404).end();
    return void response.writeHead(200, { 'content-type': file.type }).end(file.body);
  }
  const file = extname(url.pathname) === '' ? 'index.html' : url.pathname.slice(1);
  const body = await readFile(join(dir, 'dist', file)).catch(() => undefined);
  if (body === undefined) return void response.writeHead(404).end();
  response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' }).end(body);
}

async function readText(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString();
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const text = await readText(request);
  if (request.headers['content-type']?.startsWith('image/')) return {};
  const value: unknown = text === '' ? {} : JSON.parse(text);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
