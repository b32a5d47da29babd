/**
 * One or three real Apache Kafka brokers in KRaft mode, without containers, for tests, benchmarks and people. KAFKA_BROKERS names
 * brokers to use instead.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, silentLogger } from '@millrace/log';
import { removeAbandoned } from '../rig/abandoned-folders.ts';
import { freePort } from '../rig/free-port.ts';
import { ensureKafka, kafkaJarsFolder } from '../setup/kafka.mjs';
import { type Broker, BrokerProcess } from './broker.ts';

export interface KafkaOptions {
  /** Default 1. */
  readonly brokers?: 1 | 3;
  readonly log?: Logger;
  /** Kept when it is given; else a temporary folder that goes with the brokers. */
  readonly dataDir?: string;
  /** Of the first broker; free ones are chosen by default. */
  readonly firstPort?: number;
  /** Adds a listener with TLS and SASL (PLAIN and SCRAM) to each broker. */
  readonly secure?: boolean;
  /** Overrides of server.properties. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

export interface SecureAccess {
  readonly bootstrap: readonly string[];
  /** PEM of the authority that signed the brokers' certificate. */
  readonly caFile: string;
  readonly username: string;
  readonly password: string;
}

export interface Kafka extends AsyncDisposable {
  /** host:port of each broker, for KAFKA_BROKERS. */
  readonly bootstrap: readonly string[];
  readonly secure: SecureAccess | undefined;
  /** Throws when there is no such broker, or when the brokers are not ours. */
  broker(index: number): Broker;
}

const folderPrefix = 'millrace-kafka-';

/** Starts the brokers and waits until they answer; fetches the jars where the set-up has not. */
export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const given = process.env['KAFKA_BROKERS'];
  if (given) return foreignBrokers(given.split(',').map((one) => one.trim()));
  await ensureKafka();
  removeAbandoned(folderPrefix);
  const folder = options.dataDir ?? mkdtempSync(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  mkdirSync(folder, { recursive: true });
  const count = options.brokers ?? 1;
  const ports = await choosePorts(folder, count * 3, options);
  const secret = options.secure ? makeCertificates(folder) : undefined;
  const users = new Map([['millrace', 'correct-horse']]);
  const controllers = new Map(Array.from({ length: count }, (_, index) => [index + 1, ports[count + index] ?? 0]));
  const brokers = Array.from({ length: count }, (_, index) => {
    const plan = {
      ...{ id: index + 1, dataDir: join(folder, `broker-${index + 1}`), controllers },
      ...{ port: ports[index] ?? 0, controllerPort: ports[count + index] ?? 0, settings: options.settings ?? {} },
    };
    const secure = secret && { port: ports[2 * count + index] ?? 0, keyFile: secret.keyFile, users };
    const context = { jars: kafkaJarsFolder(), clusterId: clusterId(folder), log: options.log ?? silentLogger };
    return new BrokerProcess(secure ? { ...plan, secure } : plan, context);
  });
  const stop = async () => {
    // Temporary data need no clean end; with a folder of its own a broker is to start without recovery next time.
    await Promise.all(brokers.map((broker) => broker.kill(options.dataDir ? 'SIGTERM' : 'SIGKILL')));
    if (options.dataDir === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await Promise.all(brokers.map((broker) => broker.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    bootstrap: brokers.map(({ port }) => `127.0.0.1:${port}`),
    secure: secret && {
      bootstrap: Array.from({ length: count }, (_, index) => `127.0.0.1:${ports[2 * count + index]}`),
      ...{ caFile: secret.caFile, username: 'millrace', password: users.get('millrace') ?? '' },
    },
    broker: (index) => {
      const broker = brokers[index];
      if (broker === undefined) throw new Error(`expected a broker from 0 to ${count - 1}, got ${index}`);
      return broker;
    },
    [Symbol.asyncDispose]: stop,
  };
}

function foreignBrokers(bootstrap: readonly string[]): Kafka {
  return {
    ...{ bootstrap, secure: undefined },
    broker: () => {
      throw new Error('the brokers are those of KAFKA_BROKERS: they are not ours to stop');
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

/** 22 characters of URL-safe base64 (a UUID), kept with the data. */
function clusterId(folder: string): string {
  const file = join(folder, 'cluster-id');
  try {
    return readFileSync(file, 'utf8');
  } catch {
    const id = `M${randomBytes(16).toString('base64url').slice(1, 22)}`;
    writeFileSync(file, id);
    return id;
  }
}

/** Ports stay the same in a folder that is kept: they are in the quorum and in clients' settings. */
async function choosePorts(folder: string, count: number, options: KafkaOptions): Promise<readonly number[]> {
  const file = join(folder, 'ports.json');
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as number[];
  } catch {
    const first = options.firstPort;
    const ports = first ? Array.from({ length: count }, (_, index) => first + index) : await freePorts(count);
    writeFileSync(file, JSON.stringify(ports));
    return ports;
  }
}

async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}

/** A certificate authority and one certificate for 127.0.0.1, made by openssl for a day of tests. */
function makeCertificates(folder: string): { caFile: string; keyFile: string } {
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  writeFileSync(at('names.cnf'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Millrace test CA');
  openssl('req', ...key, '-keyout', 'broker.key', '-out', 'broker.csr', '-subj', '/CN=127.0.0.1');
  const sign = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names.cnf'];
  openssl('x509', '-req', '-in', 'broker.csr', ...sign, '-out', 'broker.pem');
  const read = (name: string) => readFileSync(at(name), 'utf8');
  writeFileSync(at('broker-store.pem'), read('broker.key') + read('broker.pem') + read('ca.pem'), { mode: 0o600 });
  return { caFile: at('ca.pem'), keyFile: at('broker-store.pem') };
}
