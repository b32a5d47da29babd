/** Analytics as a process of its own: the REST API on one listener, metrics and health on another. */
import { clickhouseMetrics, openConfiguredClickHouse } from '@millrace/clickhouse';
import { runServiceProcess } from '@millrace/process';
import { readAnalyticsSettings } from './config.ts';
import { createAnalyticsService } from './service.ts';

const settings = readAnalyticsSettings();
const instanceId = settings.ANALYTICS_INSTANCE_ID;

await runServiceProcess({ name: 'analytics', settings, instanceId }, async (house) => {
  const eventLog = await house.openEventLog();
  await house.openFacts(eventLog); // says that this instance lives
  const { log, clock, scope } = house;
  const where = { dataDir: settings.DATA_DIR, log, clock, metrics: clickhouseMetrics(house.metrics) };
  const clickhouse = scope.use(await openConfiguredClickHouse(settings, where), 'clickhouse');
  const service = await createAnalyticsService({ ...house, settings, clickhouse, eventLog });
  return { service, httpPort: settings.HTTP_PORT };
});
