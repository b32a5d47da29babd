/**
 * Facts of a service without a database: fsynced in a bounded spool, then relayed to the log in order. A fact that was
 * acknowledged survives kill -9 and arrives at least once, always with the same event id, by which readers know it again.
 */
import { type Clock, sleep, systemClock } from '@millrace/clock';
import { allTopics, instancesTopic, type Topic } from '@millrace/events';
import { newId, systemIdSource } from '@millrace/ids';
import { Background, backoffMs } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { EventLog, NewRecord } from '../event-log.ts';
import type { FactWriter } from '../fact-writer.ts';
import { record } from '../new-record.ts';
import { type LogObserver, noObserver } from '../observer.ts';
import { Wakeup } from '../wakeup.ts';
import { nextIncarnation } from './instance-file.ts';
import { SampleBuffer } from './sample-buffer.ts';
import { encodeEntry, type SpooledFact } from './spool-codec.ts';
import { SpoolFiles } from './spool-files.ts';

export interface FactWriterOptions {
  /** The spool's own folder, on a disk that survives restarts. */
  readonly dir: string;
  readonly eventLog: Pick<EventLog, 'publish'>;
  /** `ingest`, `transcode`, `delivery`... */
  readonly service: string;
  /** A stable name of this instance (a pod's); by default one is minted at the first start and kept in `dir`. */
  readonly instanceId?: string;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly metrics?: LogObserver;
  /** Most bytes that wait for the log; when they are reached `fact` rejects. Default 64 MiB. */
  readonly maxBytes?: number;
  readonly segmentBytes?: number;
  /** Samples gather this long, ms; default 500. */
  readonly sampleFlushMs?: number;
  /** Default 10,000. */
  readonly maxSamples?: number;
  /** How often it says InstanceSeen, ms; default 2,000. */
  readonly announceEveryMs?: number;
  /** How long closing waits for the log to take the rest, ms; what is left is relayed after the next start. Default 3,000. */
  readonly drainMs?: number;
  /** Topics whose spooled facts can be relayed after a restart; default: the catalogue. */
  readonly topics?: readonly Topic[];
}

/** The spool has reached its bound: the log has been away for long. The fact was not taken. */
export class SpoolFullError extends Error {
  readonly retryable = true;
}

interface Pending {
  readonly entry: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const factsPerRelay = 200;

export async function openFactWriter(options: FactWriterOptions): Promise<FactWriter> {
  const { dir, service, log, metrics = noObserver } = options;
  const files = await SpoolFiles.open({
    dir,
    segmentBytes: options.segmentBytes ?? 4 * 1024 * 1024,
    onDamaged: (path, bytes) => {
      // A few bytes are a write that a crash cut short; it was not acknowledged.
      log.warn('spool-tail-dropped', { path, bytes });
      metrics.spoolTailDropped(service);
    },
  });
  const identity = await nextIncarnation(dir, options.instanceId, () => `${service}-${newId('evt').slice(-12)}`);
  return new SpoolFactWriter(options, files, identity.instanceId, identity.incarnation);
}

class SpoolFactWriter implements FactWriter {
  readonly instanceId: string;
  readonly incarnation: number;
  readonly #options: FactWriterOptions;
  readonly #clock: Clock;
  readonly #metrics: LogObserver;
  readonly #files: SpoolFiles;
  readonly #samples: SampleBuffer;
  readonly #topics: Map<string, Topic>;
  readonly #wakeup = new Wakeup();
  readonly #relay: Background;
  readonly #announcing: { cancel(): void };
  readonly #pending: Pending[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  constructor(options: FactWriterOptions, files: SpoolFiles, instanceId: string, incarnation: number) {
    const { service, clock = systemClock, metrics = noObserver } = options;
    this.#options = options;
    this.#clock = clock;
    this.#metrics = metrics;
    this.#files = files;
    this.instanceId = instanceId;
    this.incarnation = incarnation;
    this.#topics = new Map((options.topics ?? (allTopics as readonly Topic[])).map((topic) => [topic.name, topic]));
    this.#samples = new SampleBuffer({
      ...{
        eventLog: options.eventLog,
        clock,
        flushMs: options.sampleFlushMs ?? 500,
        maxSamples: options.maxSamples ?? 10_000,
      },
      onDropped: (reason, samples) => metrics.samplesDropped(service, reason, samples),
    });
    this.#relay = new Background(
      (signal) => this.#relayLoop(signal),
      (error) => options.log.error('spool-relay-crashed', { error }),
    );
    const announce = () =>
      this.sample(instancesTopic, { instance_id: instanceId, incarnation, service, at_ms: clock.nowMs() });
    announce();
    this.#announcing = clock.every(options.announceEveryMs ?? 2_000, announce);
  }

  async fact<T>(topic: Topic<T>, value: T): Promise<void> {
    const { service, maxBytes = 64 * 1024 * 1024 } = this.#options;
    if (this.#closing) throw new Error(`fact writer of ${service} is closed: cannot write to ${topic.name}`);
    const entry = encodeEntry({ ...this.#checked(topic, value), topic: topic.name });
    const waiting = this.#files.waitingBytes + this.#pendingBytes;
    if (waiting + entry.length > maxBytes) {
      this.#metrics.factRefused(service);
      throw new SpoolFullError(
        `the spool of ${service} holds ${waiting} bytes of at most ${maxBytes}: the log is away`,
      );
    }
    this.#topics.set(topic.name, topic);
    this.#pendingBytes += entry.length;
    await new Promise<void>((resolve, reject) => {
      this.#pending.push({ entry, resolve, reject });
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined;
      });
    });
  }

  sample<T>(topic: Topic<T>, value: T): void {
    const { key, id, timeMs } = this.#checked(topic, value);
    this.#samples.add({ topic, key, value, id, timeMs, source: this.instanceId });
  }

  get sampleRoom(): number {
    return this.#samples.room;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#announcing.cancel();
    await this.#writing;
    const drained = new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
    this.#wakeup.ring();
    const giveUp = new AbortController();
    await Promise.race([drained, sleep(this.#clock, this.#options.drainMs ?? 3_000, giveUp.signal)]);
    giveUp.abort();
    await this.#samples[Symbol.asyncDispose]();
    await this.#relay[Symbol.asyncDispose]();
    await this.#files[Symbol.asyncDispose]();
  }

  #checked<T>(topic: Topic<T>, value: T): Omit<SpooledFact, 'topic'> {
    const checked = topic.schema.safeParse(value);
    if (!checked.success) throw new Error(`${topic.name}: value does not fit its schema: ${checked.error.message}`);
    return { key: topic.key(value), id: newId('evt', systemIdSource), timeMs: this.#clock.nowMs(), value };
  }

  /** Group commit: what comes while one fsync runs goes with the next. */
  async #write(): Promise<void> {
    await Promise.resolve(); // facts of the same turn go together
    while (this.#pending.length > 0) {
      const taken = this.#pending.splice(0, 1_000);
      let bytes = 0;
      for (const { entry } of taken) bytes += entry.length;
      try {
        await this.#files.append(taken.map(({ entry }) => entry));
        for (const { resolve } of taken) resolve();
      } catch (error) {
        for (const { reject } of taken) reject(error);
      }
      this.#pendingBytes -= bytes;
      this.#metrics.spoolBytes(this.#options.service, this.#files.waitingBytes);
      this.#wakeup.ring();
    }
  }

  async #relayLoop(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        const next = await this.#files.next(factsPerRelay);
        if (next === undefined) {
          this.#idle?.();
          await this.#wakeup.wait(signal);
          continue;
        }
        await this.#options.eventLog.publish(next.facts.flatMap((fact) => this.#revive(fact)));
        await this.#files.relayed(next.token, next.bytes);
        this.#metrics.spoolBytes(this.#options.service, this.#files.waitingBytes);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        this.#options.log[failures === 0 ? 'warn' : 'debug']('spool-relay-failed', { error });
        await sleep(this.#clock, backoffMs(failures++, 100, 5_000, Math.random()), signal);
      }
    }
  }

  /** A fact as a record again; none when its topic is gone or has changed, which must not hold up those behind it. */
  #revive(fact: SpooledFact): NewRecord[] {
    const topic = this.#topics.get(fact.topic);
    const checked = topic?.schema.safeParse(fact.value);
    if (topic === undefined || !checked?.success) {
      this.#options.log.error('spool-fact-unreadable', { topic: fact.topic, event_id: fact.id });
      this.#metrics.invalid(fact.topic);
      return [];
    }
    const { id, timeMs } = fact;
    return [{ ...record(topic, checked.data, { id, timeMs, source: this.instanceId }), key: fact.key }];
  }
}
