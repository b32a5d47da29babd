/**
 * Request metrics of a listener. The `route` label is a pattern (`/api/v1/streams/{id}`) or the mount's prefix, never a
 * path: a path would let anybody add time series.
 */
import type { ServerResponse } from 'node:http';
import { Counter, Gauge, Histogram, type MetricsRegistry } from '@millrace/metrics';

const routes = new WeakMap<ServerResponse, string>();

/** Names the route pattern of a request for the metrics; without it they carry the mount's prefix. */
export function markRoute(response: ServerResponse, pattern: string): void {
  routes.set(response, pattern);
}

/** The pattern given to `markRoute`, else `fallback`. */
export function routeOf(response: ServerResponse, fallback: string): string {
  return routes.get(response) ?? fallback;
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export interface HttpMetrics {
  /** Counts an answered request; `status` 0 means that the client went before the answer was complete. */
  observe(route: string, method: string, status: number, durationMs: number): void;
  connectionRefused(reason: 'too-many' | 'bad-request'): void;
  /** Adds `change` (+1, -1) to the open connections. */
  connections(change: number): void;
}

/** Registers the metrics of HTTP listeners in `registry`; call it once for each registry. */
export function createHttpMetrics(registry: MetricsRegistry): HttpMetrics {
  const requests = new Counter({
    name: 'millrace_http_requests_total',
    help: 'Requests answered, by route pattern, method and status class ("aborted": the client went first).',
    labelNames: ['route', 'method', 'status'] as const,
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'millrace_http_request_duration_seconds',
    help: 'Time from the request head to the end of the answer, by route pattern.',
    labelNames: ['route'] as const,
    buckets: [0.001, 0.005, 0.02, 0.1, 0.3, 1, 3, 10, 30],
    registers: [registry],
  });
  const refused = new Counter({
    name: 'millrace_http_connections_refused_total',
    help: 'Connections closed without an answer from a route, by reason.',
    labelNames: ['reason'] as const,
    registers: [registry],
  });
  const open = new Gauge({
    name: 'millrace_http_connections_open',
    help: 'Open connections of the listeners of this process.',
    registers: [registry],
  });
  return {
    observe(route, method, status, durationMs) {
      const statusClass = status === 0 ? 'aborted' : `${Math.trunc(status / 100)}xx`;
      requests.inc({ route, method: methods.has(method) ? method : 'other', status: statusClass });
      durations.observe({ route }, durationMs / 1000);
    },
    connectionRefused: (reason) => refused.inc({ reason }),
    connections: (change) => open.inc(change),
  };
}
