import { Counter, Gauge, Histogram, type MetricsRegistry } from '@millrace/metrics';
import type { LogObserver } from './observer.ts';

/**
 * Every metric of the event log, registered in `registry`; call it once a process and share what it returns between the
 * log and all fact writers.
 */
export function eventLogMetrics(registry: MetricsRegistry): LogObserver {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name: `millrace_eventlog_${name}`, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name: `millrace_eventlog_${name}`, help, labelNames, registers });
  const ofGroup = ['group', 'topic'] as const;
  const appended = counter('appended_records_total', 'Records this process appended to the log.', ['topic']);
  const delivered = counter('delivered_records_total', 'Records handled by a group.', ofGroup);
  const batch = new Histogram({
    name: 'millrace_eventlog_batch_records',
    help: 'Records in one call of a handler.',
    labelNames: ['group'],
    buckets: [1, 3, 10, 30, 100, 300, 1_000],
    registers,
  });
  const lag = gauge('lag_records', 'Records a group has not handled in the partitions this process holds.', ofGroup);
  const retries = counter('handler_failures_total', 'Handler calls that failed and are retried.', ofGroup);
  const parked = counter('dead_letters_total', 'Records parked in the dead-letter topic.', ofGroup);
  const invalid = counter('invalid_records_total', 'Records skipped because their value does not fit the topic.', [
    'topic',
  ]);
  const published = new Histogram({
    name: 'millrace_eventlog_publish_seconds',
    help: 'Time until the brokers acknowledged a send, retries included.',
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 15],
    registers,
  });
  const publishedBatch = new Histogram({
    name: 'millrace_eventlog_publish_batch_records',
    help: 'Records in one send to the brokers.',
    buckets: [1, 3, 10, 30, 100, 300, 1_000, 5_000],
    registers,
  });
  const rebalances = counter('rebalances_total', 'Times that partitions of a group were given out anew.', ['group']);
  const rebuilt = counter('client_rebuilds_total', 'Clients of the brokers that failed and were replaced.', ['client']);
  const spool = gauge('spool_bytes', 'Facts that wait in the spool.', ['service']);
  const refused = counter('refused_facts_total', 'Facts not taken because the spool is full.', ['service']);
  const tails = counter('spool_dropped_tails_total', 'Spool files whose end was torn or damaged.', ['service']);
  const dropped = counter('dropped_samples_total', 'Samples dropped, by reason.', ['service', 'reason']);
  return {
    appended: (topic, records) => appended.inc({ topic }, records),
    delivered: (group, topic, records) => {
      delivered.inc({ group, topic }, records);
      batch.observe({ group }, records);
    },
    retried: (group, topic) => retries.inc({ group, topic }),
    parked: (group, topic) => parked.inc({ group, topic }),
    invalid: (topic) => invalid.inc({ topic }),
    lag: (group, topic, records) => lag.set({ group, topic }, records),
    published: (records, seconds) => {
      published.observe(seconds);
      publishedBatch.observe(records);
    },
    rebalanced: (group) => rebalances.inc({ group }),
    clientRebuilt: (client) => rebuilt.inc({ client }),
    spoolBytes: (service, bytes) => spool.set({ service }, bytes),
    factRefused: (service) => refused.inc({ service }),
    spoolTailDropped: (service) => tails.inc({ service }),
    samplesDropped: (service, reason, samples) => dropped.inc({ service, reason }, samples),
  };
}
