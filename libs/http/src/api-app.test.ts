import { createRoute } from '@hono/zod-openapi';
import { problemSchema } from '@millrace/api';
import { systemIdSource } from '@millrace/ids';
import { silentLogger } from '@millrace/log';
import { openMetricsRegistry } from '@millrace/metrics';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ApiVariables, createApiApp, ProblemError } from './api-app.ts';
import { healthMounts } from './health-mount.ts';
import { honoMount } from './hono-mount.ts';
import { createHttpMetrics } from './http-metrics.ts';
import { openHttpServer } from './http-server.ts';
import { mergeOpenApi, type OpenApiDocument } from './open-api.ts';
import { problem } from './problem.ts';

class Away extends Error {}

function openApp() {
  const app = createApiApp<{ Variables: ApiVariables }>({
    log: silentLogger,
    idSource: systemIdSource,
    isOutage: (error) => error instanceof Away,
  });
  const item = z.strictObject({ name: z.string().min(2), kind: z.enum(['a', 'b']), tags: z.array(z.string()).max(1) });
  app.openapi(
    createRoute({
      method: 'post',
      path: '/api/items/{id}',
      request: {
        params: z.object({ id: z.string().regex(/^i/, 'an id like i1') }),
        query: z.object({ limit: z.coerce.number().int().max(10).optional() }),
        body: { required: true, content: { 'application/json': { schema: item } } },
      },
      responses: { 200: { description: 'ok', content: { 'application/json': { schema: item } } } },
    }),
    (c) => c.json(c.req.valid('json'), 200),
  );
  app.get('/api/crash', () => {
    throw new Error('secret detail');
  });
  app.get('/api/away', () => {
    throw new Away('database');
  });
  app.get('/api/refuse', () => {
    throw new ProblemError(problem(409, 'taken', 'Taken'), { 'retry-after': '3' });
  });
  return app;
}

async function post(
  path: string,
  body: string,
  headers: Record<string, string> = { 'content-type': 'application/json' },
) {
  const response = await openApp().request(path, { method: 'POST', body, headers });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}

describe('an API', () => {
  it('lists every issue of a bad request with path, expected and got', async () => {
    const bad = JSON.stringify({ name: 'x', kind: 'c', tags: ['1', '2'], more: true });
    const answer = await post('/api/items/i1', bad);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(problemSchema.parse(answer.body).errors).toEqual([
      { path: 'body.name', expected: 'at least 2 characters', got: '"x"' },
      { path: 'body.kind', expected: 'one of "a", "b"', got: '"c"' },
      { path: 'body.tags', expected: 'at most 1 items', got: '["1","2"]' },
      { path: 'body', expected: 'no other members than the documented ones (found more)', got: expect.any(String) },
    ]);
    const path = await post('/api/items/x1?limit=11', bad);
    expect(path.body['errors']).toEqual([{ path: 'query.limit', expected: 'at most 10', got: '"11"' }]);
    const empty = await post('/api/items/i1', '{}');
    expect(empty.body['errors']).toContainEqual({ path: 'body.name', expected: 'string', got: 'nothing' });
  });

  it('refuses bodies that are no JSON, of another type or too large', async () => {
    expect((await post('/api/items/i1', '{')).body).toMatchObject({ status: 400, type: '/problems/malformed-body' });
    expect((await post('/api/items/i1', 'name=x', { 'content-type': 'text/plain' })).status).toBe(415);
    const none = await openApp().request('/api/items/i1', { method: 'POST' });
    expect([none.status, await none.json()]).toMatchObject([400, { type: '/problems/body-missing' }]);
    const large = JSON.stringify({ name: 'x'.repeat(70_000), kind: 'a', tags: [] });
    expect((await post('/api/items/i1', large)).body).toMatchObject({ status: 413, type: '/problems/body-too-large' });
  });

  it('takes a DELETE without a body, and wants a length of every body, from a real client', async () => {
    const app = openApp();
    app.delete('/api/items/:id', (c) => c.body(null, 204));
    const mounts = [honoMount('/api', app)];
    await using server = await openHttpServer({ host: '127.0.0.1', port: 0, mounts, log: silentLogger });
    const url = `http://127.0.0.1:${server.port}/api/items/i1`;
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(204);
    const chunked = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{}'));
        controller.close();
      },
    });
    const init = { method: 'POST', body: chunked, duplex: 'half' as const };
    expect((await fetch(url, init)).status).toBe(411);
  });

  it('says nothing of the inside of a crash, and calls an outage an outage', async () => {
    const crash = await openApp().request('/api/crash');
    expect(crash.status).toBe(500);
    expect(await crash.text()).not.toContain('secret');
    const away = await openApp().request('/api/away');
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '1']);
    const refused = await openApp().request('/api/refuse');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([409, '3']);
  });

  it('knows a wrong method from a wrong path', async () => {
    const wrongMethod = await openApp().request('/api/items/i1', { method: 'PUT' });
    expect([wrongMethod.status, wrongMethod.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await openApp().request('/api/other')).status).toBe(404);
  });

  it('echoes a request id or mints one, also in problems, and sets security headers', async () => {
    const minted = await openApp().request('/api/crash');
    const id = minted.headers.get('x-request-id') ?? '';
    expect(id).toMatch(/^req_/);
    expect(((await minted.json()) as { request_id: string }).request_id).toBe(id);
    const echoed = await openApp().request('/api/crash', { headers: { 'x-request-id': id } });
    expect(echoed.headers.get('x-request-id')).toBe(id);
    const forged = await openApp().request('/api/crash', { headers: { 'x-request-id': 'line\\nbreak' } });
    expect(forged.headers.get('x-request-id')).toMatch(/^req_/);
    expect(minted.headers.get('x-content-type-options')).toBe('nosniff');
    expect(minted.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(minted.headers.get('cache-control')).toBe('no-store');
  });

  it('is counted by the pattern of its route', async () => {
    const registry = openMetricsRegistry({ processMetrics: false });
    const metrics = createHttpMetrics(registry);
    const mounts = [honoMount('/api', openApp())];
    await using server = await openHttpServer({ host: '127.0.0.1', port: 0, mounts, log: silentLogger, metrics });
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/items/i77`, init);
    expect(answer.status).toBe(400);
    await answer.text();
    await fetch(`http://127.0.0.1:${server.port}/api/other`).then((response) => response.text());
    const text = await registry.metrics();
    expect(text).toContain('route="/api/items/{id}",method="POST",status="4xx"');
    expect(text).toContain('route="/api",method="GET",status="4xx"');
  });
});

describe('health routes', () => {
  it('readyz lists every reason and answers 503 until all services are ready', async () => {
    let ready = false;
    const services = [
      { name: 'a', readiness: () => ({ ready: true, reasons: [] }) },
      { name: 'b', readiness: () => ({ ready, reasons: ready ? [] : ['the table is still being read'] }) },
    ];
    const registry = openMetricsRegistry({ processMetrics: true });
    const mounts = healthMounts({ services, registries: [registry] });
    await using server = await openHttpServer({ host: '127.0.0.1', port: 0, mounts, log: silentLogger });
    const get = (path: string, init = {}) => fetch(`http://127.0.0.1:${server.port}${path}`, init);
    const waiting = await get('/readyz');
    expect(waiting.status).toBe(503);
    expect(await waiting.json()).toEqual({
      ready: false,
      services: [
        { name: 'a', ready: true, reasons: [] },
        { name: 'b', ready: false, reasons: ['the table is still being read'] },
      ],
    });
    ready = true;
    expect((await get('/readyz')).status).toBe(200);
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/healthz', { method: 'POST' })).status).toBe(405);
    expect(await (await get('/metrics')).text()).toContain('process_cpu_seconds_total');
  });
});

describe('merged OpenAPI', () => {
  const document = (path: string, schemas: Record<string, unknown>): OpenApiDocument => ({
    openapi: '3.1.0',
    info: { title: path, version: '1' },
    paths: { [path]: {} },
    components: { schemas },
    tags: [{ name: 'both' }],
  });

  it('holds the paths and components of all documents once', () => {
    const merged = mergeOpenApi([
      document('/a', { Problem: { type: 'object' } }),
      document('/b', { Problem: { type: 'object' }, B: {} }),
    ]);
    expect(Object.keys(merged.paths ?? {})).toEqual(['/a', '/b']);
    expect(Object.keys(merged.components?.['schemas'] ?? {})).toEqual(['Problem', 'B']);
    expect(merged.info.title).toBe('/a');
    expect(merged.tags).toHaveLength(1);
  });

  it('refuses two meanings of one name and one path twice', () => {
    expect(() => mergeOpenApi([document('/a', { X: 1 }), document('/b', { X: 2 })])).toThrow('schemas/X differs');
    expect(() => mergeOpenApi([document('/a', {}), document('/a', {})])).toThrow('stands in two');
    expect(() => mergeOpenApi([])).toThrow('at least one');
  });
});
