export { Counter, Gauge, Histogram } from 'prom-client';
export { type MetricsRegistry, openMetricsRegistry, renderMetrics } from './registry.ts';
