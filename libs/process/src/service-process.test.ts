import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Service } from '@millrace/http';
import { silentLogger } from '@millrace/log';
import { createTestDatabase } from '@millrace/postgres/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProcessSettings } from './process-settings.ts';
import { openServiceProcess } from './service-process.ts';

/** A service that holds every request until it is closed, and writes down what happens. */
function holdingService(events: string[]): Service {
  const held = new Set<ServerResponse>();
  return {
    name: 'mill',
    publicMounts: [
      {
        prefix: '/held',
        holdsAnswers: true,
        handle: (_, response) => {
          events.push('held');
          held.add(response);
        },
      },
    ],
    internalMounts: [],
    readiness: () => ({ ready: false, reasons: ['the water is low'] }),
    [Symbol.asyncDispose]: async () => {
      events.push('service closed');
      for (const response of held) response.end('drained');
    },
  };
}

describe('the process of a service', () => {
  let dir: string;
  let database: Awaited<ReturnType<typeof createTestDatabase>>;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-process-'));
    database = await createTestDatabase();
  });
  afterEach(async () => {
    rmSync(dir, { recursive: true, force: true });
    await database[Symbol.asyncDispose]();
  });
  const settings = (more: Partial<ProcessSettings> = {}): ProcessSettings => ({
    ...{ KAFKA_BROKERS: [], KAFKA_TOPIC_PREFIX: '', KAFKA_REPLICATION: 1, KAFKA_TLS: false },
    ...{ KAFKA_TLS_CA_FILE: undefined, KAFKA_TLS_CERT_FILE: undefined, KAFKA_TLS_KEY_FILE: undefined },
    ...{ KAFKA_SASL_MECHANISM: 'none', KAFKA_SASL_USERNAME: undefined, KAFKA_SASL_PASSWORD: undefined },
    DATABASE_URL: database.url,
    DATA_DIR: dir,
    INTERNAL_HTTP_PORT: 0,
    MILLRACE_SERVICE_TOKEN: 'a-token-between-services',
    LOG_LEVEL: 'error',
    DRAIN_DEADLINE_S: 5,
    ...more,
  });

  it('keeps metrics and health off the public listener, and says why it is not ready', async () => {
    const ports: { http?: number; internal?: number } = {};
    await using _ = await openServiceProcess(
      { name: 'mill', settings: settings(), instanceId: 'mill-1', log: silentLogger },
      async () => ({
        service: holdingService([]),
        httpPort: 0,
        onListening: (bound) => Object.assign(ports, bound),
      }),
    );
    const internal = `http://127.0.0.1:${ports.internal}`;
    const ready = await fetch(`${internal}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ services: [{ name: 'mill', reasons: ['the water is low'] }] });
    expect((await fetch(`${internal}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${internal}/metrics`)).text()).toContain('process_cpu_seconds_total');
    for (const path of ['metrics', 'readyz', 'healthz']) {
      expect((await fetch(`http://127.0.0.1:${ports.http}/${path}`)).status).toBe(404);
    }
  });

  it('lets the service answer what it holds, and closes adapters, facts and the log after it', async () => {
    const events: string[] = [];
    let url = '';
    const running = await openServiceProcess(
      { name: 'mill', settings: settings(), instanceId: 'mill-1', log: silentLogger },
      async (house) => {
        house.scope.defer('first', () => events.push('first opened closed'));
        await house.openFacts(await house.openEventLog());
        house.scope.defer('adapter', () => events.push('adapter closed'));
        const onListening = ({ http }: { readonly http: number | undefined }) => {
          url = `http://127.0.0.1:${http}/held`;
        };
        return { service: holdingService(events), httpPort: 0, onListening };
      },
    );
    const answer = fetch(url).then((response) => response.text());
    await expect.poll(() => events).toEqual(['held']);
    await running[Symbol.asyncDispose]();
    expect(await answer).toBe('drained');
    expect(events).toEqual(['held', 'service closed', 'adapter closed', 'first opened closed']);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('closes what was opened when the service or a port cannot be had', async () => {
    const events: string[] = [];
    const options = { name: 'mill', settings: settings(), instanceId: 'mill-1', log: silentLogger };
    await expect(
      openServiceProcess(options, async (house) => {
        house.scope.defer('adapter', () => events.push('adapter closed'));
        throw new Error('the wheel is missing');
      }),
    ).rejects.toThrow('the wheel is missing');
    const ports: { http?: number } = {};
    await using _ = await openServiceProcess(options, async () => ({
      service: holdingService([]),
      httpPort: 0,
      onListening: (bound) => Object.assign(ports, bound),
    }));
    await expect(
      openServiceProcess(options, async () => ({ service: holdingService(events), httpPort: ports.http ?? 0 })),
    ).rejects.toThrow(/in use/);
    expect(events).toEqual(['adapter closed', 'service closed']);
  });
});
