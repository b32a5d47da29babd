/**
 * What the services stand on: PostgreSQL and Kafka, embedded unless the settings name others. The embedded ClickHouse is
 * not here: analytics starts it as its own child where CLICKHOUSE_URL is unset.
 */
import { join } from 'node:path';
import { systemClock } from '@millrace/clock';
import { Background, Scope } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import { openEmbeddedPostgres } from '@millrace/postgres';
import { type Kafka, startKafka } from '../kafka/kafka.ts';

export interface EnginesGiven {
  readonly dataDir: string;
  readonly log: Logger;
  /** PostgreSQL to use instead of the embedded one. */
  readonly databaseUrl: string | undefined;
  /** `postgresql`: the event log is there and no Kafka is started. */
  readonly eventLog: 'kafka' | 'postgresql';
  /** Brokers to use instead of one of our own. */
  readonly kafkaBrokers: readonly string[];
  /** Of the embedded broker; undefined: a free one. */
  readonly kafkaPort: number | undefined;
}

export interface Engine {
  readonly name: 'postgresql' | 'kafka';
  /** 0 while it is down. */
  readonly pid: number;
  readonly restarts: number;
  /** Ends it as a power cut does; it is started again. */
  kill(): Promise<void>;
}

export interface Engines extends AsyncDisposable {
  readonly databaseUrl: string;
  readonly kafkaBrokers: readonly string[];
  /** Those that are ours. */
  readonly own: readonly Engine[];
}

const watchMs = 500;

/** Starts what is not given. Disposing stops it, the database last. */
export async function openEngines(given: EnginesGiven): Promise<Engines> {
  const { log } = given;
  const scope = new Scope({
    stepDeadlineMs: 20_000,
    onError: (step, error) => log.warn('close-failed', { step, error }),
  });
  const own: Engine[] = [];
  try {
    const [databaseUrl, kafkaBrokers] = await Promise.all([openDatabase(), openLog()]);
    return { databaseUrl, kafkaBrokers, own, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() };
  } catch (error) {
    await scope[Symbol.asyncDispose]();
    throw error;
  }

  async function openDatabase(): Promise<string> {
    if (given.databaseUrl !== undefined) return given.databaseUrl;
    const postgres = await openEmbeddedPostgres({ dataDir: join(given.dataDir, 'postgres'), log, clock: systemClock });
    scope.use(postgres, 'postgres');
    own.push({
      name: 'postgresql',
      get pid() {
        return postgres.pid;
      },
      get restarts() {
        return postgres.restarts;
      },
      kill: async () => void process.kill(postgres.pid, 'SIGKILL'),
    });
    return postgres.connectionUrl;
  }

  async function openLog(): Promise<readonly string[]> {
    if (given.eventLog === 'postgresql') return [];
    if (given.kafkaBrokers.length > 0) return given.kafkaBrokers;
    const port = given.kafkaPort === undefined ? {} : { firstPort: given.kafkaPort };
    const kafka = scope.use(await startKafka({ dataDir: join(given.dataDir, 'kafka'), log, ...port }), 'kafka');
    own.push(superviseBroker(kafka));
    return kafka.bootstrap;
  }

  /** The broker does not start itself again. */
  function superviseBroker(kafka: Kafka): Engine {
    const broker = kafka.broker(0);
    let restarts = 0;
    const watch = async (signal: AbortSignal): Promise<void> => {
      while (!signal.aborted) {
        await new Promise((resolve) => setTimeout(resolve, watchMs));
        if (signal.aborted || broker.pid !== undefined) continue;
        log.warn('kafka-ended', { again: true });
        await broker.start().then(
          () => void restarts++,
          (error: unknown) => log.error('kafka-not-started', { error }),
        );
      }
    };
    scope.use(new Background(watch, (error) => log.error('kafka-watch-crashed', { error })), 'kafka-watch');
    return {
      name: 'kafka',
      get pid() {
        return broker.pid ?? 0;
      },
      get restarts() {
        return restarts;
      },
      kill: () => broker.kill('SIGKILL'),
    };
  }
}
