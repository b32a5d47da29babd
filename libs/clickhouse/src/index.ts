export type { ClickHouseClient } from '@clickhouse/client';
export { ClickHouseError } from '@clickhouse/client';
export { type OpenClickHouseOptions, openClickHouse } from './client.ts';
export { type EmbeddedClickHouse, type EmbeddedClickHouseOptions, openEmbeddedClickHouse } from './embedded.ts';
export { clickhouseMetrics, type EngineObserver } from './metrics.ts';
export { type ClickHouseMigrationOptions, runClickHouseMigrations } from './migrations.ts';
export {
  type ClickHouseSettings,
  type ConfiguredClickHouse,
  type ConfiguredClickHouseDeps,
  clickhouseSettings,
  openConfiguredClickHouse,
} from './settings.ts';
