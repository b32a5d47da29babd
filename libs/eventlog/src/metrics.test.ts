import { openMetricsRegistry, renderMetrics } from '@millrace/metrics';
import { expect, it } from 'vitest';
import { eventLogMetrics } from './metrics.ts';

it('what the log observes is shown under names that say what is counted', async () => {
  const registry = openMetricsRegistry({ processMetrics: false });
  const observer = eventLogMetrics(registry);
  observer.appended('live.streams.v1', 3);
  observer.delivered('hub', 'live.streams.v1', 2);
  observer.samplesDropped('ingest', 'log-away', 4);
  const { body } = await renderMetrics([registry]);
  expect(body).toContain('millrace_eventlog_appended_records_total{topic="live.streams.v1"} 3');
  expect(body).toContain('millrace_eventlog_delivered_records_total{group="hub",topic="live.streams.v1"} 2');
  expect(body).toContain('millrace_eventlog_dropped_samples_total{service="ingest",reason="log-away"} 4');
});
