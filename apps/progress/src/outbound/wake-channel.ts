/**
 * Hints between the instances of progress, by NOTIFY. They are gathered for a moment and sent after the commit, in a statement of their
 * own: NOTIFY inside a transaction makes commits wait for each other. A lost one costs the time until the next look.
 */
import { type Clock, sleep } from '@millrace/clock';
import type { Logger } from '@millrace/log';
import type { Sql } from '@millrace/postgres';
import { z } from 'zod';
import type { Stop } from '../core/task-rows.ts';

const channel = 'millrace_progress';
/** PostgreSQL takes payloads of less than 8,000 bytes. */
const mostBytes = 7_000;
const gatherMs = 5;
const retryMs = 1_000;

const hintSchema = z.object({
  from: z.string(),
  work: z.boolean(),
  stops: z.array(z.object({ workerId: z.string(), taskId: z.string(), fence: z.int() })),
  ended: z.array(z.object({ jobId: z.string(), status: z.enum(['completed', 'failed', 'cancelled']) })),
});
export type WakeHint = Omit<z.infer<typeof hintSchema>, 'from'>;

export interface WakeChannelOptions {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly log: Logger;
  /** Tells this instance's own hints from others'. */
  readonly instanceId: string;
  readonly onHint: (hint: WakeHint) => void;
}

export class WakeChannel {
  readonly #options: WakeChannelOptions;
  #work = false;
  #stops: Stop[] = [];
  #ended: WakeHint['ended'] = [];
  #gathering = false;

  constructor(options: WakeChannelOptions) {
    this.#options = options;
  }

  send(hint: Partial<WakeHint>): void {
    this.#work ||= hint.work ?? false;
    this.#stops.push(...(hint.stops ?? []));
    this.#ended.push(...(hint.ended ?? []));
    if (this.#gathering) return;
    this.#gathering = true;
    this.#options.clock.after(gatherMs, () => void this.#flush()); // never rejects
  }

  /** Listens until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { sql, clock, log } = this.#options;
    let unlisten: (() => Promise<void>) | undefined;
    while (!signal.aborted) {
      try {
        // postgres.js itself listens again after a lost connection
        unlisten ??= (await sql.listen(channel, (payload) => this.#take(payload))).unlisten;
      } catch (error) {
        log.debug('progress-deaf', { error });
      }
      await sleep(clock, retryMs, signal);
    }
    await unlisten?.().catch(() => {}); // the connection may be gone, and goes anyway
  }

  #take(payload: string): void {
    try {
      const { from, ...hint } = hintSchema.parse(JSON.parse(payload));
      if (from !== this.#options.instanceId) this.#options.onHint(hint);
    } catch (error) {
      this.#options.log.warn('strange-hint', { payload: payload.slice(0, 200), error });
    }
  }

  async #flush(): Promise<void> {
    const from = this.#options.instanceId;
    const hint = { from, work: this.#work, stops: this.#stops, ended: this.#ended };
    this.#work = false;
    this.#stops = [];
    this.#ended = [];
    this.#gathering = false;
    const text = JSON.stringify(hint);
    const fits = text.length <= mostBytes;
    const payloads = fits ? [text] : pieces(hint).map((piece) => JSON.stringify(piece));
    try {
      for (const payload of payloads) await this.#options.sql`SELECT pg_notify(${channel}, ${payload})`;
    } catch (error) {
      this.#options.log.debug('hint-lost', { error });
    }
  }
}

/** A hint that is too long, in parts of 30 entries. */
function pieces(hint: WakeHint & { from: string }): (WakeHint & { from: string })[] {
  const parts: (WakeHint & { from: string })[] = [];
  const size = 30;
  for (let at = 0; at < Math.max(hint.stops.length, hint.ended.length); at += size) {
    const some = { stops: hint.stops.slice(at, at + size), ended: hint.ended.slice(at, at + size) };
    parts.push({ from: hint.from, work: hint.work && at === 0, ...some });
  }
  return parts;
}
