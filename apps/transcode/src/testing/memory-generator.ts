import { writeFile } from 'node:fs/promises';
import { err, ok } from '@millrace/result';
import type { GeneratorOrder, GeneratorState, VideoGenerator } from '../core/video-generator.ts';

export interface MemoryGenerator extends VideoGenerator {
  /** What was asked for, by the generator's own name. */
  readonly orders: ReadonlyMap<string, GeneratorOrder>;
  readonly cancelled: ReadonlySet<string>;
  /** What is said of everything from now on. */
  becomes(state: GeneratorState): void;
  /** What is fetched. */
  video: Uint8Array;
}

/** A generator that does what it is told. */
export function createMemoryGenerator(): MemoryGenerator {
  const orders = new Map<string, GeneratorOrder>();
  const cancelled = new Set<string>();
  let now: GeneratorState = { kind: 'working', done: undefined };
  const unknown = (id: string) =>
    err({ code: 'provider-refused', reason: `there is no ${id}`, retryable: false } as const);
  return {
    ...{ orders, cancelled, video: new Uint8Array() },
    becomes: (state) => void (now = state),
    async begin(order) {
      const known = [...orders].find(([, one]) => one.request_id === order.request_id)?.[0];
      const id = known ?? `gen-${orders.size + 1}`;
      orders.set(id, order);
      return ok(id);
    },
    state: async (id) => (orders.has(id) ? ok(now) : unknown(id)),
    async fetch(id, path) {
      if (!orders.has(id)) return unknown(id);
      await writeFile(path, this.video);
      return ok(this.video.byteLength);
    },
    async cancel(id) {
      if (orders.has(id)) cancelled.add(id);
      return ok();
    },
  };
}
