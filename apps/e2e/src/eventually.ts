import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until `condition` holds, every 20 ms and at most `withinMs`. Returns how long it took, ms; throws naming `what`. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 10_000,
): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    if (await condition()) return performance.now() - startedMs;
    if (performance.now() - startedMs > withinMs) throw new Error(`expected within ${withinMs} ms: ${what}`);
    await sleep(20);
  }
}
