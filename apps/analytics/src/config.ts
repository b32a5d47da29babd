import { clickhouseSettings } from '@millrace/clickhouse';
import { defineSettings, type Settings, setting } from '@millrace/config';
import { processSettings, processSettingsOrExit } from '@millrace/process';

const days = (doc: string, fallback: string) => setting.integer({ doc, fallback, min: 1, max: 3_650 });

/** What the service itself needs; standalone takes the same table. */
export const analyticsSettings = defineSettings({
  ...clickhouseSettings,
  ANALYTICS_RAW_DAYS: days(
    'How long single facts (beacons, joins, health samples) are kept in ClickHouse, days.',
    '30',
  ),
  ANALYTICS_SESSION_DAYS: days('How long sessions and minutes are kept in ClickHouse, days.', '400'),
  ANALYTICS_QUERY_SECONDS: setting.integer({
    doc: 'Longest time that ClickHouse may take to answer one question, s.',
    fallback: '10',
    min: 1,
    max: 600,
  }),
  ANALYTICS_QUERY_MEMORY_MB: setting.integer({
    doc: 'Memory that one question may use in ClickHouse, MB.',
    fallback: '512',
    min: 16,
    max: 1_000_000,
  }),
  ANALYTICS_SQL_MAX_ROWS: setting.integer({
    doc: 'Most rows that a statement of an analyst gives as JSON.',
    fallback: '10000',
    min: 1,
    max: 1_000_000,
  }),
  ANALYTICS_EXPORT_MAX_ROWS: setting.integer({
    doc: 'Most rows of an export.',
    fallback: '1000000',
    min: 1,
    max: 1_000_000_000,
  }),
  ANALYTICS_MAX_EXPORTS: setting.integer({
    doc: 'Exports read at once; the next get 503.',
    fallback: '4',
    min: 1,
    max: 1_000,
  }),
});
export type AnalyticsSettings = Settings<typeof analyticsSettings>;

/** What only a process of its own needs beside `analyticsSettings`. */
export const analyticsProcessSettings = defineSettings({
  ...analyticsSettings,
  ...processSettings,
  HTTP_PORT: setting.port({ doc: 'Port of the REST API.', fallback: '8080' }),
  ANALYTICS_INSTANCE_ID: setting.text({
    doc: 'Name of this instance; keep it over restarts.',
    fallback: 'analytics-1',
    pattern: /^[A-Za-z0-9._-]{1,64}$/,
  }),
});
export type AnalyticsProcessSettings = Settings<typeof analyticsProcessSettings>;

/** Reads the environment and `.env`; prints every mistake and exits 64 when there is one. */
export function readAnalyticsSettings(): AnalyticsProcessSettings {
  return processSettingsOrExit(analyticsProcessSettings, process.env);
}
