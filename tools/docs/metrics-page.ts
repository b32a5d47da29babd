import * as eventlog from '@millrace/eventlog';
import * as handover from '@millrace/handover';
import * as http from '@millrace/http';
import * as mediaStore from '@millrace/media-store';
import { type MetricsRegistry, openMetricsRegistry } from '@millrace/metrics';
import { appModules } from './app-modules.ts';
import { heading, table } from './markdown.ts';

/** What of a prom-client metric the page shows; `labelNames` and `type` are not in its public types. */
interface Described {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
}

/** `createXMetrics(registry)` and `registerXGauges(registry, readings)`. */
type Register = (registry: MetricsRegistry, readings: unknown) => unknown;

/** Stands for whatever a gauge reads when it is scraped: every property is a function that answers 0. */
const readings: unknown = new Proxy({}, { get: () => () => 0 });

/** docs/generated/metrics.md: every metric of each service, from the table in its metrics.ts. */
export async function metricsPage(): Promise<string> {
  let page = heading(
    'Metrics',
    'each service’s `src/metrics.ts`',
    'Every service serves `/metrics` in the Prometheus text format; standalone serves all of them in one. Labels have few values: never a stream, session or viewer id. Node’s own process metrics come with them.',
  );
  const libraries = [
    { app: 'every service: the event log', exports: eventlog as Readonly<Record<string, unknown>> },
    { app: 'every service: HTTP', exports: http as Readonly<Record<string, unknown>> },
    {
      app: 'services with media: the media store in a bucket',
      exports: mediaStore as Readonly<Record<string, unknown>>,
    },
    { app: 'services that run apart: the hand-over of media', exports: handover as Readonly<Record<string, unknown>> },
  ];
  for (const { app, exports } of [...(await appModules('metrics.ts')), ...libraries]) {
    // A registry each: two roles of a service may have a metric of one name, and never meet in one process.
    const found = new Map<string, Described & { readonly type: string }>();
    for (const [name, value] of Object.entries(exports)) {
      if (typeof value !== 'function' || !/(metrics|gauges)$/i.test(name)) continue;
      const registry = openMetricsRegistry({ processMetrics: false });
      (value as Register)(registry, readings);
      const types = new Map((await registry.getMetricsAsJSON()).map((metric) => [metric.name, String(metric.type)]));
      for (const metric of registry.getMetricsAsArray() as unknown as readonly Described[]) {
        const { name, help, labelNames = [] } = metric;
        found.set(name, { name, help, labelNames, type: types.get(name) ?? '' });
      }
    }
    const metrics = [...found.values()];
    if (metrics.length === 0) throw new Error(`${app}: no metric could be found`);
    const rows = metrics.map((metric) => [
      `\`${metric.name}\``,
      metric.type,
      (metric.labelNames ?? []).map((label) => `\`${label}\``).join(', '),
      metric.help,
    ]);
    page += `## ${app}\n\n${table(['metric', 'type', 'labels', 'what it counts'], rows)}\n`;
  }
  return `${page.trimEnd()}\n`;
}
