import { Counter } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { openMetricsRegistry, renderMetrics } from './registry.ts';

describe('metrics', () => {
  it('of several services are rendered as one exposition', async () => {
    const a = openMetricsRegistry({ processMetrics: true });
    const b = openMetricsRegistry({ processMetrics: false });
    new Counter({ name: 'millrace_test_things_total', help: 'Things.', registers: [b] }).inc(3);
    const { body, contentType } = await renderMetrics([a, b]);
    expect(contentType).toContain('text/plain');
    expect(body).toContain('millrace_test_things_total 3');
    expect(body).toContain('process_cpu_seconds_total');
  });
});
