/** The product as several processes on one PostgreSQL, that hand media to each other over HTTP. */
import { join } from 'node:path';
import { createTestDatabase } from '@millrace/postgres/testing';
// Ports are chosen as for every other process that is started in tests.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { freePort } from '../../../tools/rig/free-port.ts';
import type { ChildProgram } from './child-program.ts';
import { eventually } from './eventually.ts';
import { RestClient } from './rest-client.ts';
import { openDataDir, startMain } from './standalone.ts';

/** A service in a process of its own. */
export interface ClusterProcess {
  readonly name: string;
  readonly program: ChildProgram;
  readonly httpUrl: string;
  readonly internalUrl: string;
}

export interface Cluster extends AsyncDisposable {
  readonly rtmpPort: number;
  readonly ingest: ClusterProcess;
  readonly delivery: ClusterProcess;
  /** Folder with one of each process, and the media store that they share, where the settings name no other. */
  readonly dataDir: string;
  /** A client that has signed in at control. */
  readonly api: RestClient;
  /** The event log's, for tests that read facts. */
  readonly databaseUrl: string;
  /** Starts one more transcode worker, writing to `origins` (default: `delivery`), and waits until it is parked at ingest. */
  startWorker(name: string, origins?: readonly ClusterProcess[]): Promise<ClusterProcess>;
  /** Starts progress. */
  startProgress(): Promise<ClusterProcess>;
  /** Starts one more transcode worker that takes media jobs too. */
  startJobWorker(name: string, progress: ClusterProcess): Promise<ClusterProcess>;
  /** Starts one more delivery: an edge in front of `origins`, or without them an origin. */
  startDelivery(name: string, origins?: readonly ClusterProcess[]): Promise<ClusterProcess>;
  /** Kills a process with kill -9 and starts it again with the same settings, ports and data. */
  restart(process: ClusterProcess): Promise<ClusterProcess>;
  /** Standard error of every process, for a failing test. */
  output(): string;
}

const serviceToken = 'a-token-between-services-of-a-test';

/** Starts control, ingest and delivery, and signs in. Workers are started by the test. */
export async function startCluster(settings: Readonly<Record<string, string>> = {}): Promise<Cluster> {
  const database = await createTestDatabase();
  const data = await openDataDir();
  const processes: ClusterProcess[] = [];
  const dispose = async () => {
    // Sources first, so that what drains has somebody to drain to.
    await Promise.all(processes.map(async ({ program }) => program.running && (await program.stop('SIGTERM', 20_000))));
    await data[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  };
  const starts = new Map<string, () => Promise<ClusterProcess>>();
  const start = async (app: string, name: string, more: Readonly<Record<string, string>>): Promise<ClusterProcess> => {
    const [http, internal] = [await freePort(), await freePort()];
    const env = {
      DATABASE_URL: database.url,
      DATA_DIR: join(data.path, name),
      HTTP_PORT: String(http),
      INTERNAL_HTTP_PORT: String(internal),
      MILLRACE_SERVICE_TOKEN: serviceToken,
      MEDIA_DIR: join(data.path, 'media'),
      LOG_LEVEL: 'info',
      ...settings,
      ...more,
    };
    const begin = async () => {
      const urls = { httpUrl: `http://127.0.0.1:${http}`, internalUrl: `http://127.0.0.1:${internal}` };
      const started = { name, program: startMain(app, env), ...urls };
      processes.push(started);
      await eventually(() => answersReady(started), `${name} is ready`, 90_000).catch((error: unknown) => {
        const { program } = started;
        throw new Error(`${String(error)}\n${program.stdout().slice(-1_000)}\n${program.stderr().slice(-4_000)}`);
      });
      return started;
    };
    starts.set(name, begin);
    return begin();
  };
  try {
    const rtmpPort = await freePort();
    const control = await start('control', 'control', { RTMP_PORT: String(rtmpPort) });
    const [ingest, delivery] = await Promise.all([
      start('ingest', 'ingest-1', { RTMP_PORT: String(rtmpPort), INGEST_INSTANCE_ID: 'ingest-1' }),
      start('delivery', 'delivery-1', { DELIVERY_INSTANCE_ID: 'delivery-1' }),
    ]);
    const code = /\/sign-in#code=([^\s"'\\]+)/.exec(control.program.stdout())?.[1];
    if (code === undefined) throw new Error(`control printed no sign-in link:\n${control.program.stdout()}`);
    const api = await RestClient.signIn(control.httpUrl, code);
    const workerOf = (name: string, origins: readonly ClusterProcess[]) => ({
      TRANSCODE_WORKER_ID: name,
      TRANSCODE_INGEST_URLS: ingest.internalUrl,
      TRANSCODE_DELIVERY_URLS: urlsOf(origins),
    });
    return {
      rtmpPort,
      ingest,
      delivery,
      api,
      databaseUrl: database.url,
      dataDir: data.path,
      startWorker: (name, origins = [delivery]) => start('transcode', name, workerOf(name, origins)),
      startProgress: () => start('progress', 'progress-1', { PROGRESS_INSTANCE_ID: 'progress-1' }),
      startJobWorker: (name, progress) =>
        start('transcode', name, {
          ...workerOf(name, [delivery]),
          TRANSCODE_PROGRESS_URL: progress.internalUrl,
          TRANSCODE_JOB_SLOTS: '1',
        }),
      startDelivery: (name, origins) =>
        start('delivery', name, {
          DELIVERY_INSTANCE_ID: name,
          ...(origins === undefined ? {} : { DELIVERY_ROLE: 'edge', DELIVERY_ORIGIN_URLS: urlsOf(origins) }),
        }),
      async restart({ name, program }) {
        const begin = starts.get(name);
        if (begin === undefined) throw new Error(`no process "${name}" was started`);
        await program.stop('SIGKILL');
        return begin();
      },
      output: () => processes.map(({ name, program }) => `--- ${name}\n${program.stderr().slice(-3_000)}`).join('\n'),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

const urlsOf = (processes: readonly ClusterProcess[]) => processes.map(({ internalUrl }) => internalUrl).join();

async function answersReady({ program, internalUrl, httpUrl }: ClusterProcess): Promise<boolean> {
  if (!program.running) throw new Error(`it ended:\n${program.stderr().slice(-4_000)}`);
  for (const url of [internalUrl, httpUrl]) {
    const status = await fetch(`${url}/readyz`).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return true;
  }
  return false;
}
