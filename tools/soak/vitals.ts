/** What must not grow: memory, file descriptors, timers and sockets of a running server. */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryOf } from '../rig/process-usage.ts';
import type { StandaloneServer } from '../rig/standalone-server.ts';

export interface Vitals {
  readonly rssMb: number;
  readonly descriptors: number;
  /** Active resources by kind, from Node's own metrics: timers, sockets, files. */
  readonly resources: number;
}

export async function vitalsOf(server: StandaloneServer): Promise<Vitals> {
  const metrics = await (await fetch(`${server.httpUrl}/metrics`)).text();
  return {
    rssMb: memoryOf(server.pid).rss / 1e6,
    descriptors: readdirSync(`/proc/${server.pid}/fd`).length,
    resources: Number(/^nodejs_active_resources_total (\d+)/m.exec(metrics)?.[1] ?? Number.NaN),
  };
}

export function describe(vitals: Vitals): string {
  return `${vitals.rssMb.toFixed(0)} MB, ${vitals.descriptors} descriptors, ${vitals.resources} active resources`;
}

/**
 * Waits until descriptors and resources are back at their baseline (with a little room for keep-alive connections and pools),
 * at most `timeoutMs`. Returns what is still above it.
 */
export async function untilBaseline(
  server: StandaloneServer,
  baseline: Vitals,
  timeoutMs: number,
): Promise<{ readonly vitals: Vitals; readonly above: readonly string[] }> {
  const room = 12;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const vitals = await vitalsOf(server);
    const above = (['descriptors', 'resources'] as const)
      .filter((name) => vitals[name] > baseline[name] + room)
      .map((name) => `${name}: ${vitals[name]}, ${baseline[name]} before`);
    if (above.length === 0 || performance.now() > deadline) return { vitals, above };
    await sleep(500);
  }
}
