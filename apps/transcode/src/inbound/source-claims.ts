import type { SourceDesk } from '@millrace/handover';
import { LiveSource, type LiveSourceDeps } from './live-source.ts';

/** Ingest takes a source back after 1.5 s without one. */
const heartbeatMs = 250;

export interface SourceClaimsOptions extends Omit<LiveSourceDeps, 'onOver'> {
  readonly desks: readonly SourceDesk[];
  readonly workerId: string;
  /** Sources at a time from each desk. */
  readonly slots: number;
  /** Longest wait at close for parts that are cut to be written, ms. */
  readonly drainMs: number;
}

/**
 * Parks at every ingest and holds the sources it is given. Closing it takes no more, writes what is cut, and gives the
 * sources back, so that another worker goes on with them.
 */
export class SourceClaims implements AsyncDisposable {
  readonly #options: SourceClaimsOptions;
  readonly #parked: readonly AsyncDisposable[];
  readonly #sources = new Set<LiveSource>();
  /** Sources that are over and still write their last parts. */
  readonly #ending = new Set<Promise<void>>();
  readonly #heartbeats: { cancel(): void };
  #closing = false;

  constructor(options: SourceClaimsOptions) {
    const { desks, workerId, slots, clock, metrics } = options;
    this.#options = options;
    this.#heartbeats = clock.every(heartbeatMs, () => {
      for (const source of this.#sources) source.heartbeat();
    });
    const deps = { ...options, onOver: (source: LiveSource) => this.#onOver(source) };
    this.#parked = desks.map((desk) =>
      desk.park({
        workerId,
        slots,
        accept: (assignment, link) => {
          metrics.claims.inc();
          const source = new LiveSource(deps, assignment, link);
          this.#sources.add(source);
          return source;
        },
      }),
    );
  }

  /** Sources held. */
  get count(): number {
    return this.#sources.size;
  }
  /** Parks where sources come from. */
  get desks(): number {
    return this.#parked.length;
  }
  get closing(): boolean {
    return this.#closing;
  }
  get queuedBytes(): number {
    let bytes = 0;
    for (const source of this.#sources) bytes += source.queuedBytes;
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    const { drainMs } = this.#options;
    const unparked = this.#parked.map((park) => park[Symbol.asyncDispose]());
    await Promise.all([...this.#sources].map((source) => source.drain(drainMs)));
    this.#heartbeats.cancel();
    await Promise.all([...unparked, ...this.#ending]);
  }

  #onOver(source: LiveSource): void {
    this.#sources.delete(source);
    const written = source.drain(this.#options.drainMs).finally(() => this.#ending.delete(written));
    this.#ending.add(written);
  }
}
