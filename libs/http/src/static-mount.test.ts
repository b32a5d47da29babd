import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { silentLogger } from '@millrace/log';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docsMount } from './docs-mount.ts';
import { type HttpServer, openHttpServer } from './http-server.ts';
import { acceptsGzip, staticMount } from './static-mount.ts';

const script = `console.log(${JSON.stringify('x'.repeat(2000))})`;
let folder: string;
let server: HttpServer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-static-'));
  const site = join(folder, 'site');
  mkdirSync(join(site, 'assets'), { recursive: true });
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  writeFileSync(join(site, 'index.html'), '<!doctype html><title>studio</title>');
  writeFileSync(join(site, '.env'), 'secret');
  symlinkSync(join(folder, 'secret.txt'), join(site, 'link.txt'));
  writeFileSync(join(site, 'assets', 'index-B3xk_9aQ.js'), script);
  const docs = docsMount({ openApiUrl: '/api/v1/openapi.json', title: 'A <b>title' });
  const mounts = [await staticMount({ dir: site, spaFallback: 'index.html' }), docs];
  server = await openHttpServer({ host: '127.0.0.1', port: 0, mounts, log: silentLogger });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Asks for a path exactly as written: fetch would tidy dots away. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }>((resolve, reject) => {
    const asked = request({ port: server.port, host: '127.0.0.1', path, headers, method }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('static files', () => {
  it('hashed assets may be kept for ever, pages are asked for again', async () => {
    expect((await get('/assets/index-B3xk_9aQ.js')).headers['cache-control']).toBe(
      'public, max-age=31536000, immutable',
    );
    const page = await get('/');
    expect(page.headers['cache-control']).toBe('no-cache');
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['content-security-policy']).toContain("default-src 'self'");
    expect(page.headers['x-content-type-options']).toBe('nosniff');
  });

  it('a path of the studio gets its page, a missing file does not', async () => {
    expect((await get('/streams/str_1')).body.toString()).toContain('studio');
    expect((await get('/assets/missing.js')).status).toBe(404);
    expect((await get('/', {}, 'POST')).status).toBe(405);
  });

  it('no path leads out of the folder, to dot files or through links', async () => {
    for (const path of [
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/.env',
      '/link.txt',
      '/%00.x',
      '/%.x',
    ]) {
      const answer = await get(path);
      expect(answer.status, path).toBe(404);
      expect(answer.body.toString(), path).not.toContain('"secret"');
    }
  });

  it('compressed bytes are the same file, and known ones are not sent again', async () => {
    const plain = await get('/assets/index-B3xk_9aQ.js');
    const packed = await get('/assets/index-B3xk_9aQ.js', { 'accept-encoding': 'br, gzip' });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(packed.body.length).toBeLessThan(plain.body.length / 2);
    expect(gunzipSync(packed.body).toString()).toBe(script);
    expect(plain.body.toString()).toBe(script);
    for (const tag of [String(plain.headers['etag']), String(packed.headers['etag']), '*']) {
      const again = await get('/assets/index-B3xk_9aQ.js', { 'if-none-match': tag });
      expect([again.status, again.body.length]).toEqual([304, 0]);
    }
    const head = await get('/assets/index-B3xk_9aQ.js', {}, 'HEAD');
    expect([head.headers['content-length'], head.body.length]).toEqual([String(plain.body.length), 0]);
  });

  it('a folder that is missing or too large is an error at start', async () => {
    await expect(staticMount({ dir: join(folder, 'nowhere') })).rejects.toThrow('ENOENT');
    await expect(staticMount({ dir: folder, maxBytes: 100 })).rejects.toThrow('at most 100 bytes');
  });

  it('gzip is used only when it is accepted', () => {
    expect(['gzip', 'br, gzip;q=0.5', 'GZIP'].map(acceptsGzip)).toEqual([true, true, true]);
    expect(['', 'br', 'gzip;q=0', 'gzip; q=0.0', undefined].map(acceptsGzip)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('the API reference', () => {
  it('is served from here alone', async () => {
    const page = await get('/docs');
    expect(page.status).toBe(200);
    expect(page.body.toString()).toContain('A &lt;b&gt;title');
    expect(page.body.toString()).not.toMatch(/https?:/);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    const bundle = await get('/docs/swagger-ui-bundle.js', { 'accept-encoding': 'gzip' });
    expect([bundle.status, bundle.headers['content-encoding']]).toEqual([200, 'gzip']);
    expect((await get('/docs/start.js')).body.toString()).toContain('/api/v1/openapi.json');
    expect((await get('/docs/swagger-ui.css')).status).toBe(200);
    expect((await get('/docs/../../package.json')).status).toBe(404);
  });
});
