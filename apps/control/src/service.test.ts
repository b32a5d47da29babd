import { readFileSync } from 'node:fs';
import { Secret } from '@millrace/config';
import { signingKeysTopic } from '@millrace/events';
import { describe, expect, it } from 'vitest';
import { openApiDocument } from './inbound/openapi.ts';
import { collect, openTestControl } from './testing.ts';

interface Operation {
  operationId?: string;
  summary?: string;
  tags?: string[];
  responses?: Record<string, { description?: string; content?: Record<string, unknown> }>;
}

describe('control', () => {
  it('keeps everything over a restart: streams, keys, tokens, the signing key', async () => {
    await using control = await openTestControl();
    const token = await control.signIn();
    expect(control.service.firstAdminLink).toBeDefined();
    const made = await control.call<{ id: string }>('POST', '/api/v1/streams', { token, body: { title: 'kept' } });
    const keys = `/api/v1/streams/${made.body.id}/keys`;
    await control.call('POST', keys, { token, body: { label: 'kept' } });
    await control.restart();
    expect(control.service.firstAdminLink).toBeUndefined();
    const stream = await control.call('GET', `/api/v1/streams/${made.body.id}`, { token });
    expect(stream).toMatchObject({ status: 200, body: { title: 'kept' } });
    const listed = await control.call<{ items: unknown[] }>('GET', keys, { token });
    expect(listed.body.items).toMatchObject([{ label: 'kept' }]);
    await using published = await collect(control.eventLog, signingKeysTopic);
    await published.until(() => true);
    expect(new Set(published.records.map((record) => record.key)).size).toBe(1);
  });

  it('until somebody has signed in, every start has a link', async () => {
    await using control = await openTestControl();
    const first = control.service.firstAdminLink?.url;
    await control.restart();
    expect(control.service.firstAdminLink?.url).toMatch(/^http:\/\/stream\.example:8080\/sign-in#code=[a-z2-7]{32}$/);
    expect(control.service.firstAdminLink?.url).not.toBe(first);
  });

  it('with a key secret the private key is sealed in the database, and another secret does not open it', async () => {
    const CONTROL_KEY_SECRET = new Secret('0123456789abcdef0123456789abcdef');
    await using control = await openTestControl({ settings: { CONTROL_KEY_SECRET } });
    const token = await control.signIn();
    const rows = await control.database.sql<{ private_jwk: string }[]>`SELECT private_jwk FROM control.signing_keys`;
    expect(rows[0]?.private_jwk).toMatch(/^sealed1\./);
    await control.restart();
    expect((await control.call('GET', '/api/v1/me', { token })).status).toBe(200);
    await control.database.sql`UPDATE control.signing_keys SET private_jwk = ${`sealed1.${'A'.repeat(120)}`}`;
    await expect(control.restart()).rejects.toThrow('CONTROL_KEY_SECRET does not open signing key');
  });

  it('answers 503 while the database is away, and says so in its readiness only after a round', async () => {
    await using control = await openTestControl();
    const token = await control.signIn();
    await control.database.sql.end({ timeout: 0 });
    const answer = await control.call('GET', '/api/v1/streams', { token });
    expect(answer).toMatchObject({ status: 503, body: { type: '/problems/unavailable' } });
    expect(answer.headers.get('retry-after')).toBe('1');
    expect((await control.call('GET', '/api/v1/me', { token })).status).toBe(200);
  });
});

describe('the OpenAPI document', () => {
  const document = openApiDocument() as unknown as {
    openapi: string;
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, unknown>; securitySchemes: object };
  };
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
  );

  it('is 3.1, names every operation once, and documents its answers and problems', () => {
    expect(document.openapi).toBe('3.1.0');
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { name, operation } of operations) {
      expect(operation.summary, name).toBeTruthy();
      expect(operation.tags, name).toHaveLength(1);
      const statuses = Object.keys(operation.responses ?? {});
      expect(
        statuses.some((status) => status.startsWith('2')),
        name,
      ).toBe(true);
      for (const status of statuses.filter((one) => one.startsWith('4') || one.startsWith('5'))) {
        expect(operation.responses?.[status]?.content, `${name} ${status}`).toHaveProperty([
          'application/problem+json',
        ]);
      }
    }
  });

  it('has no reference that leads nowhere', () => {
    const text = JSON.stringify(document);
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1]);
    expect(references.length).toBeGreaterThan(10);
    for (const name of references) expect(Object.keys(document.components.schemas)).toContain(name);
  });

  it('documents every path parameter', () => {
    for (const [path, item] of Object.entries(document.paths)) {
      const named = [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1]);
      for (const operation of Object.values(item) as { parameters?: { in: string; name: string }[] }[]) {
        const given = (operation.parameters ?? []).filter((one) => one.in === 'path').map((one) => one.name);
        expect(given.sort()).toEqual(named.sort());
      }
    }
  });
});

describe('the README', () => {
  it('names every setting and metric of the service', async () => {
    const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const { controlProcessSettings } = await import('./config.ts');
    for (const name of Object.keys(controlProcessSettings)) expect(text).toContain(name);
    const metrics = readFileSync(new URL('./metrics.ts', import.meta.url), 'utf8');
    for (const [, name] of metrics.matchAll(/name: '(millrace_[a-z_]+)'/g)) expect(text).toContain(name);
  });
});
