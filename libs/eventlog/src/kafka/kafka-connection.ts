/**
 * Connections to the brokers as kafkajs makes them, with what it lacks: its log goes through ours, and every socket is known, so
 * that closing a client leaves none behind.
 */
import { connect as connectPlain, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Logger } from '@millrace/log';
import { type ISocketFactory, Kafka, type KafkaConfig, type LogEntry, logLevel, type RetryOptions } from 'kafkajs';

/** Where the brokers are and how to sign in. */
export interface KafkaAccess {
  readonly brokers: readonly string[];
  /** Put before every topic and group name. */
  readonly topicPrefix: string;
  /** Replicas of a topic, where there are as many brokers. */
  readonly replication: number;
  readonly ssl?: ConnectionOptions;
  readonly sasl?: NonNullable<KafkaConfig['sasl']>;
}

/**
 * Written out in full: under NODE_ENV=test kafkajs would take other defaults. Its own retries are short, since the log's
 * supervisors build a broken client anew (kafkajs#598, #1416, #558: clients that never recover by themselves).
 */
export const clientRetry: RetryOptions = {
  ...{ initialRetryTime: 100, maxRetryTime: 1_000, factor: 0.2, multiplier: 1.6, retries: 6 },
};

export class KafkaConnection {
  readonly kafka: Kafka;
  readonly settings: KafkaConfig & { readonly socketFactory: ISocketFactory };
  readonly #sockets = new Set<Socket>();
  #destroyed = false;

  constructor(access: KafkaAccess, clientId: string, log: Logger) {
    this.settings = {
      ...{ clientId, brokers: [...access.brokers], retry: clientRetry },
      ...{ connectionTimeout: 3_000, authenticationTimeout: 10_000, requestTimeout: 15_000 },
      ...(access.ssl && { ssl: access.ssl }),
      ...(access.sasl && { sasl: access.sasl }),
      logLevel: logLevel.INFO,
      logCreator: () => (entry) => pass(entry, log),
      socketFactory: (options) => this.#open(options),
    };
    this.kafka = new Kafka(this.settings);
  }

  /**
   * Ends every socket and opens no more. kafkajs's disconnect leaks connections when a rebalance or a reconnect is under way
   * (kafkajs#1074), so this follows each close.
   */
  destroy(): void {
    this.#destroyed = true;
    // With an error: kafkajs does not listen for `close`, and would leave its requests waiting for their time to run out.
    for (const socket of this.#sockets) socket.destroy(new Error('the client was closed'));
    this.#sockets.clear();
  }

  /** Sockets that are open, for tests. */
  get openSockets(): number {
    return this.#sockets.size;
  }

  #open({ host, port, ssl, onConnect }: Parameters<ISocketFactory>[0]): Socket {
    if (this.#destroyed) throw new Error(`this client of ${host}:${port} is closed`);
    // An address is no server name (RFC 6066): only names are sent.
    const servername = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
    const socket = ssl
      ? connectTls({ ...servername, ...ssl, host, port }, onConnect)
      : connectPlain({ host, port }, onConnect);
    socket.setKeepAlive(true, 60_000);
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.on('error', () => {}); // kafkajs takes its own listener away before the socket is gone
    socket.once('close', () => {
      this.#sockets.delete(socket);
      // kafkajs takes leave of a dead connection at each reconnect; Node would wait each time for a `connect` that never comes.
      socket.unref = () => socket;
    });
    return socket;
  }
}

/** What brokers and groups say in the normal course of starting, electing and rebalancing. */
const harmless =
  /coordinator is (loading|not available)|not the correct coordinator|leadership election|rebalanc|not aware of this member|does not host this topic|no leader|Response without match|consumer not running/i;

/** kafkajs's errors are warnings here: our supervisors recover from them, and say so themselves when they do not. */
function pass({ namespace, level, log: { message, timestamp: _, logger: __, ...rest } }: LogEntry, log: Logger): void {
  const fields = { client: namespace, said: message, ...(rest['error'] !== undefined && { error: rest['error'] }) };
  const harm = !harmless.test(`${message} ${String(rest['error'] ?? '')}`);
  if (harm && level === logLevel.ERROR) log.warn('kafka-client-said', fields);
  else log.debug('kafka-client-said', fields);
}

/** Waits for `work`, at most `deadlineMs`: kafkajs's stop and disconnect are known to hang (kafkajs#1074). */
export async function within(work: Promise<unknown>, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  // What fails while closing is of no interest: the sockets are destroyed next.
  await Promise.race([work.catch(() => {}), deadline]);
  clearTimeout(timer);
}
