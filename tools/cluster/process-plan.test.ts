import type { SettingsTable } from '@millrace/config';
import { beforeAll, describe, expect, test } from 'vitest';
import { serviceSettingTables, settingMistakes } from '../deploy/service-settings.ts';
import { fillTemplate, frontConfig } from './front-config.ts';
import { clusterServices, planCluster, serviceSettings } from './process-plan.ts';

const ports = new Map(
  clusterServices.map(({ name }, i) => [name as string, { internal: 100 + 2 * i, http: 101 + 2 * i }]),
);
const plan = (change: Partial<Parameters<typeof planCluster>[0]> = {}) =>
  planCluster({
    ...{ ports, frontPort: 80, rtmpPort: 1935, publicUrl: 'http://localhost', dataDir: '/data', settings: {} },
    ...{ serviceToken: 'a-token-between-services', databaseUrl: 'postgres://db/x', kafkaBrokers: ['kafka:9092'] },
    clickhouseUrl: undefined,
    ...change,
  });

describe('the plan of a cluster', () => {
  let tables: ReadonlyMap<string, SettingsTable>;
  beforeAll(async () => {
    tables = await serviceSettingTables();
  }, 120_000);

  test('gives every process settings that its service knows and takes, and all that it needs', () => {
    const mistakes = plan().flatMap(({ name, app, env }) => {
      const table = tables.get(app) ?? {};
      // What is the same for all is not everybody's.
      const shared = ['HTTP_PORT', 'RTMP_PORT', 'PUBLIC_URL'].filter((setting) => !(setting in table));
      const own = Object.fromEntries(Object.entries(env).filter(([setting]) => !shared.includes(setting)));
      return settingMistakes(table, own).map((text) => `${name}: ${text}`);
    });
    expect(mistakes).toEqual([]);
  });

  test('needs PostgreSQL in every service only where there are no brokers', () => {
    const withDatabase = (brokers: readonly string[]) =>
      plan({ kafkaBrokers: brokers }).flatMap(({ name, env }) => (env['DATABASE_URL'] ? [name] : []));
    expect(withDatabase(['kafka:9092'])).toEqual(['control-1', 'progress-1']);
    expect(withDatabase([])).toEqual(clusterServices.map(({ name }) => name));
  });

  test('stops who sends before who takes, and leads edges to origins at their internal listeners', () => {
    const order = [...plan()].sort((a, b) => a.stopsAt - b.stopsAt).map(({ app }) => app);
    expect([...new Set(order)]).toEqual(['ingest', 'transcode', 'delivery', 'hub', 'progress', 'analytics', 'control']);
    const services = new Map(plan().map((service) => [service.name, service]));
    const origins = [1, 2].map((i) => services.get(`delivery-origin-${i}`)?.internalUrl).join(',');
    expect(services.get('delivery-edge-1')?.env['DELIVERY_ORIGIN_URLS']).toBe(origins);
    expect(services.get('transcode-2')?.env['TRANSCODE_DELIVERY_URLS']).toBe(origins);
    expect(services.get('transcode-1')?.env['TRANSCODE_PROGRESS_URL']).toBe(services.get('progress-1')?.internalUrl);
  });

  test('gives one media store to those who write videos and to those who play them', () => {
    const stores = plan().map(({ app, env }) => [app, env['MEDIA_DIR']] as const);
    const shared = stores.filter(([app]) => ['progress', 'transcode', 'delivery'].includes(app));
    expect(new Set(shared.map(([, folder]) => folder))).toEqual(new Set(['/data/media']));
  });

  test('hands on settings of services and nothing else of the environment', () => {
    const env = {
      DELIVERY_MEMORY_MB: '64',
      HOME: '/h',
      HTTP_PORT: '1',
      KAFKA_TLS: '',
      RTMPS_PORT: '1936',
      MEDIA_STORE_URL: 's3://films',
    };
    expect(serviceSettings(env)).toEqual({
      DELIVERY_MEMORY_MB: '64',
      RTMPS_PORT: '1936',
      MEDIA_STORE_URL: 's3://films',
    });
  });
});

describe('the configuration of the front', () => {
  test('leads to every public listener and to no internal one', () => {
    const urls = (prefix: string) =>
      plan().flatMap(({ name, httpUrl }) => (name.startsWith(prefix) && httpUrl ? [httpUrl] : []));
    const addresses = {
      port: 80,
      control: urls('control'),
      progress: urls('progress'),
      analytics: [],
      edges: urls('delivery-edge'),
      hubs: urls('hub'),
    };
    const text = frontConfig(addresses, { studio: '/studio', openApi: '/openapi.json' });
    for (const { name, httpUrl, internalUrl } of plan()) {
      expect(text, name).not.toContain(new URL(internalUrl).host);
      if (/^(control|progress|delivery-edge|hub)/.test(name))
        expect(text, name).toContain(`server ${new URL(httpUrl ?? '').host} `);
    }
    expect(text).toMatch(/upstream analytics \{[^}]*server 127\.0\.0\.1:9 down;/);
    expect(text).not.toMatch(/\$\{[A-Z]/);
  });

  test('says which word nobody gave', () => {
    expect(() => fillTemplate('listen ${PORT}; $host', { HOST: 'x' })).toThrow(/PORT.*HOST/);
    expect(fillTemplate('listen ${PORT}; $host', { PORT: '80' })).toBe('listen 80; $host');
  });
});
