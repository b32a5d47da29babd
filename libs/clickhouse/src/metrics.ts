import { Counter, Gauge, type MetricsRegistry } from '@millrace/metrics';

/** What the supervisor of the embedded engine tells. */
export interface EngineObserver {
  restarted(): void;
  /** Once a second. */
  stats(rssBytes: number, running: number, waiting: number): void;
}

/** Hears nothing. */
export const noEngineObserver: EngineObserver = { restarted: () => {}, stats: () => {} };

/** Every metric of the embedded engine, registered in `registry`; call it once a process. */
export function clickhouseMetrics(registry: MetricsRegistry): EngineObserver {
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name: `millrace_clickhouse_${name}`, help, registers });
  const restarts = new Counter({
    name: 'millrace_clickhouse_engine_restarts_total',
    help: 'Times the embedded engine had to be started again.',
    registers,
  });
  const rss = gauge('engine_resident_memory_bytes', 'Memory of the embedded engine`s process.');
  const running = gauge('engine_running_queries', 'Queries and inserts that the embedded engine runs.');
  const waiting = gauge('engine_waiting_queries', 'Queries and inserts that wait for the embedded engine.');
  return {
    restarted: () => restarts.inc(),
    stats: (rssBytes, runningNow, waitingNow) => {
      rss.set(rssBytes);
      running.set(runningNow);
      waiting.set(waitingNow);
    },
  };
}
