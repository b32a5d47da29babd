/** One broker process: formatted on its first start, started, killed and started again. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Logger } from '@millrace/log';
import { lastLines, spawnJava } from '../rig/java-program.ts';
import { type BrokerPlan, serverProperties } from './properties.ts';

export interface Broker {
  readonly port: number;
  /** Of the JVM; undefined while it is down. */
  readonly pid: number | undefined;
  /** Starts it and waits until it takes connections. */
  start(): Promise<void>;
  /** Ends it: `SIGKILL` (default) as a power cut does, `SIGTERM` with a controlled shutdown. Waits until it is gone. */
  kill(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

const startDeadlineMs = 60_000;

export class BrokerProcess implements Broker {
  readonly #plan: BrokerPlan;
  readonly #jars: string;
  readonly #clusterId: string;
  readonly #log: Logger;
  #child: ChildProcess | undefined;

  constructor(plan: BrokerPlan, options: { jars: string; clusterId: string; log: Logger }) {
    this.#plan = plan;
    this.#jars = options.jars;
    this.#clusterId = options.clusterId;
    this.#log = options.log;
  }

  get port(): number {
    return this.#plan.port;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    const file = join(this.#plan.dataDir, 'server.properties');
    if (!existsSync(join(this.#plan.dataDir, 'meta.properties'))) await this.#format(file);
    writeFileSync(file, serverProperties(this.#plan));
    const child = this.#java('kafka.Kafka', [file]);
    const said = lastLines(child);
    this.#child = child;
    let gone = false;
    child.once('exit', () => {
      gone = true;
      if (this.#child === child) this.#child = undefined;
    });
    const deadline = performance.now() + startDeadlineMs;
    while (!gone && performance.now() < deadline) {
      if (await answers(this.#plan.port)) {
        this.#log.debug('kafka-broker-started', { id: this.#plan.id, port: this.#plan.port, pid: child.pid });
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    child.kill('SIGKILL');
    throw new Error(`Kafka broker ${this.#plan.id} ${gone ? 'ended' : 'was not ready in time'}: ${said()}`);
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 8_000);
    await gone;
    clearTimeout(timer);
  }

  async #format(file: string): Promise<void> {
    mkdirSync(this.#plan.dataDir, { recursive: true });
    writeFileSync(file, serverProperties(this.#plan));
    const scram = [...(this.#plan.secure?.users ?? [])].flatMap(([name, password]) =>
      ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((kind) => ['-S', `${kind}=[name=${name},password=${password}]`]),
    );
    const child = this.#java('kafka.tools.StorageTool', ['format', '-t', this.#clusterId, '-c', file, ...scram]);
    const said = lastLines(child);
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
    if (code !== 0) throw new Error(`Kafka's storage of broker ${this.#plan.id} could not be formatted: ${said()}`);
  }

  #java(main: string, args: readonly string[]): ChildProcess {
    const child = spawnJava({ jars: this.#jars, main, args, cwd: this.#plan.dataDir });
    child.on('error', (error) => this.#log.error('kafka-broker-not-started', { error }));
    return child;
  }
}

/** Whether a broker answers ApiVersions (request 18, version 0, no client id) on `port`. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.setTimeout(2_000, () => end(false));
    socket.once('error', () => end(false));
    socket.once('close', () => resolve(false));
    socket.once('data', () => end(true));
    socket.once('connect', () => socket.write(Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff])));
  });
}
