import { join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import type { Clock } from '@millrace/clock';
import { defineSettings, type Settings, setting } from '@millrace/config';
import type { Logger } from '@millrace/log';
import { openClickHouse } from './client.ts';
import { type EmbeddedClickHouse, openEmbeddedClickHouse } from './embedded.ts';
import type { EngineObserver } from './metrics.ts';

/** Where analytics data is. */
export const clickhouseSettings = defineSettings({
  CLICKHOUSE_URL: setting.optionalText({
    doc: 'ClickHouse server, http(s)://user:password@host:8123; unset: an embedded engine in a process of its own.',
    secret: true,
  }),
  CLICKHOUSE_DATABASE: setting.text({
    doc: 'Database in ClickHouse; made when missing.',
    fallback: 'millrace',
    pattern: /^[A-Za-z_][A-Za-z0-9_]{0,63}$/,
  }),
  CLICKHOUSE_MEMORY_MB: setting.integer({
    doc: 'Memory that the embedded ClickHouse engine may use, MB.',
    fallback: '1024',
    min: 256,
    max: 1_000_000,
  }),
});
export type ClickHouseSettings = Settings<typeof clickhouseSettings>;

export interface ConfiguredClickHouse extends AsyncDisposable {
  readonly client: ClickHouseClient;
  readonly database: string;
  /** For another client, e.g. one with other limits; holds the password. */
  readonly url: string;
  /** Undefined where a server is used. */
  readonly embedded: EmbeddedClickHouse | undefined;
}

export interface ConfiguredClickHouseDeps {
  /** The embedded engine's data is in `clickhouse` below it. */
  readonly dataDir: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics?: EngineObserver;
}

/** Opens a client to the server that the settings name, or starts the embedded engine. Closing it closes both. */
export async function openConfiguredClickHouse(
  settings: ClickHouseSettings,
  deps: ConfiguredClickHouseDeps,
): Promise<ConfiguredClickHouse> {
  const database = settings.CLICKHOUSE_DATABASE;
  const memoryMb = settings.CLICKHOUSE_MEMORY_MB;
  const server = settings.CLICKHOUSE_URL;
  if (server !== undefined && !/^https?:\/\/[^/]+/.test(server))
    throw new Error('CLICKHOUSE_URL: expected http(s)://user:password@host:8123');
  const embedded =
    server === undefined
      ? await openEmbeddedClickHouse({ ...deps, dataDir: join(deps.dataDir, 'clickhouse'), memoryMb })
      : undefined;
  const url = server ?? embedded?.url ?? '';
  const client = await openClickHouse({ url, database, log: deps.log });
  return {
    ...{ client, database, url, embedded },
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await embedded?.[Symbol.asyncDispose]();
    },
  };
}
