import { Counter, type MetricsRegistry } from '@millrace/metrics';
import type { SourceClaimEvent } from './source-claim-server.ts';
import type { WindowWriteEvent } from './window-writer-server.ts';

/** Counts what happens to parked workers and claims: `onEvent` of `openSourceClaimServer`. */
export function sourceClaimMetrics(registry: MetricsRegistry): (event: SourceClaimEvent) => void {
  const events = new Counter({
    name: 'millrace_ingest_source_claim_events_total',
    help: 'Workers that parked, were refused or fell silent, and claims by how they ended.',
    labelNames: ['reason'],
    registers: [registry],
  });
  return (reason) => events.inc({ reason });
}

/** Counts writes over HTTP: `onEvent` of `openWindowWriterServer`. */
export function windowWriteMetrics(registry: MetricsRegistry): (event: WindowWriteEvent) => void {
  const events = new Counter({
    name: 'millrace_delivery_window_write_events_total',
    help: 'Opens, segment requests and parts that came over HTTP, and why the rest was refused or cut off.',
    labelNames: ['reason'],
    registers: [registry],
  });
  return (reason) => events.inc({ reason });
}
