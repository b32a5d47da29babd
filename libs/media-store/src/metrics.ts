import { Counter, Histogram, type MetricsRegistry } from '@millrace/metrics';
import type { StoreObserver } from './store-observer.ts';

/** Every metric of the media store, registered in `registry`; call it once a process. Only a bucket moves them. */
export function mediaStoreMetrics(registry: MetricsRegistry): StoreObserver {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name: `millrace_media_store_${name}`, help, labelNames, registers });
  const requests = counter('requests_total', 'Requests to the bucket, by what they asked for and how they ended.', [
    'operation',
    'outcome',
  ]);
  const seconds = new Histogram({
    name: 'millrace_media_store_request_seconds',
    help: 'Time until the bucket had answered a request, retries included; of a read until its first byte.',
    labelNames: ['operation'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
    registers,
  });
  const failures = counter('failed_tries_total', 'Tries of requests that failed in a way that may pass, by reason.', [
    'reason',
  ]);
  const bytes = counter('transferred_bytes_total', 'Bytes of objects read from and written to the bucket.', [
    'direction',
  ]);
  const resumed = counter('resumed_reads_total', 'Reads that broke off and went on from there.', []);
  const aborted = counter('aborted_uploads_total', 'Uploads in parts that were given up, by reason.', ['reason']);
  return {
    requested: (operation, outcome, tookS) => {
      requests.inc({ operation, outcome });
      seconds.observe({ operation }, tookS);
    },
    triedInVain: (reason) => failures.inc({ reason }),
    bytes: (direction, count) => bytes.inc({ direction }, count),
    readResumed: () => resumed.inc(),
    uploadAborted: (reason) => aborted.inc({ reason }),
  };
}
