import { collectDefaultMetrics, Registry } from 'prom-client';

/** A service's own registry; never prom-client's global one, so that standalone can merge several. */
export type MetricsRegistry = Registry;

/** Opens a registry. `processMetrics`: also Node's own (CPU, memory, event loop); once per process. */
export function openMetricsRegistry(options: { readonly processMetrics: boolean }): MetricsRegistry {
  const registry = new Registry();
  // The default of 10 ms wakes an idle process a hundred times a second.
  if (options.processMetrics) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  return registry;
}

/** The text exposition of several registries merged; a name must stand in only one of them. */
export async function renderMetrics(
  registries: readonly MetricsRegistry[],
): Promise<{ contentType: string; body: string }> {
  const merged = registries.length === 1 && registries[0] ? registries[0] : Registry.merge([...registries]);
  return { contentType: merged.contentType, body: await merged.metrics() };
}
