/** A member of a Kafka group: one session after the other, a new one with growing pauses when a client has crashed. */
import { sleep } from '@millrace/clock';
import { Background, backoffMs } from '@millrace/lifecycle';
import type { ConsumeOptions, Consumer } from '../event-log.ts';
import { GroupSession } from './group-session.ts';
import type { SessionDeps } from './session-deps.ts';

const lagEveryMs = 5_000;

export class KafkaGroupConsumer implements Consumer {
  readonly #deps: Omit<SessionDeps, 'paused'>;
  readonly #options: ConsumeOptions<unknown>;
  readonly #loops: readonly Background[];
  readonly #onClosed: () => void;
  #session: GroupSession | undefined;
  #paused = false;
  #killed = false;
  #closing: Promise<void> | undefined;

  constructor(deps: Omit<SessionDeps, 'paused'>, options: ConsumeOptions<unknown>, onClosed: () => void) {
    this.#deps = deps;
    this.#options = options;
    this.#onClosed = onClosed;
    const crashed = (error: unknown) => deps.log.error('kafka-consumer-crashed', { group: options.group, error });
    this.#loops = [
      new Background((signal) => this.#supervise(signal), crashed),
      new Background((signal) => this.#watchLag(signal), crashed),
    ];
  }

  pause(): void {
    this.#paused = true;
    this.#session?.setPaused(true);
  }

  resume(): void {
    this.#paused = false;
    this.#session?.setPaused(false);
  }

  async lag(): Promise<ReadonlyMap<string, bigint>> {
    const partitions = [...(this.#session?.partitions ?? [])];
    const ends = new Map<string, readonly { end: bigint }[]>();
    for (const topic of new Set(partitions.map((one) => one.topic)))
      ends.set(topic, await this.#deps.admin.ranges(topic));
    return new Map(
      partitions.map(({ topic, partition, position, waiting }) => {
        const end = ends.get(topic)?.[partition]?.end ?? position;
        return [`${topic}/${partition}`, (end > position ? end - position : 0n) + BigInt(waiting)];
      }),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** See GroupSession.kill. */
  async kill(): Promise<void> {
    this.#killed = true;
    await this.#session?.kill();
    await this[Symbol.asyncDispose]();
  }

  async #close(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop[Symbol.asyncDispose]()));
    this.#onClosed();
  }

  async #supervise(signal: AbortSignal): Promise<void> {
    const { clock, log, random, observer } = this.#deps;
    const { group } = this.#options;
    const aborted = new Promise<'closed'>((resolve) => {
      signal.addEventListener('abort', () => resolve('closed'), { once: true });
    });
    for (let failures = 0; !signal.aborted; failures++) {
      const session = new GroupSession({ ...this.#deps, paused: () => this.#paused }, this.#options);
      this.#session = session;
      const startedMs = clock.monotonicMs();
      let reason: unknown;
      try {
        await Promise.race([session.start(), aborted]);
        reason = await Promise.race([session.crashed, aborted]);
      } catch (error) {
        reason = error;
      }
      if (!this.#killed) await session[Symbol.asyncDispose]();
      if (signal.aborted) return;
      if (clock.monotonicMs() - startedMs > 60_000) failures = 0;
      log[failures === 0 ? 'warn' : 'info']('kafka-consumer-rebuilt', { group, error: reason });
      observer.clientRebuilt('consumer');
      // With jitter: all members of a group lose the same broker at the same time.
      await sleep(clock, backoffMs(failures, 200, 10_000, random()), signal);
    }
  }

  async #watchLag(signal: AbortSignal): Promise<void> {
    const { clock, observer, log } = this.#deps;
    while (!signal.aborted) {
      await sleep(clock, lagEveryMs, signal);
      if (signal.aborted) return;
      try {
        const lags = new Map<string, number>(this.#options.topics.map(({ name }) => [name, 0]));
        for (const [id, lag] of await this.lag()) {
          const topic = id.slice(0, id.lastIndexOf('/'));
          lags.set(topic, (lags.get(topic) ?? 0) + Number(lag));
        }
        for (const [topic, lag] of lags) observer.lag(this.#options.group, topic, lag);
      } catch (error) {
        log.debug('kafka-lag-unknown', { group: this.#options.group, error });
      }
    }
  }
}
