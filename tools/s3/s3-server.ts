/**
 * A real S3 server without containers, for tests and people: S3Proxy over a folder. It checks signatures, sizes of parts, ETags,
 * ranges and conditions as S3 does. Unlike S3 it keeps objects as files, so that no object can be below another.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeAbandoned } from '../rig/abandoned-folders.ts';
import { freePort } from '../rig/free-port.ts';
import { lastLines, spawnJava } from '../rig/java-program.ts';
import { ensureS3, s3JarsFolder } from '../setup/s3.mjs';

export interface S3ServerOptions {
  /** Kept when it is given; else a temporary folder that goes with the server. */
  readonly dataDir?: string;
  /** A free one is chosen by default. */
  readonly port?: number;
  /** Made when missing. */
  readonly buckets: readonly string[];
}

export interface S3Server extends AsyncDisposable {
  /** `http://127.0.0.1:port`; buckets are in the path. */
  readonly endpoint: string;
  readonly keyId: string;
  readonly secret: string;
  /** Where it keeps objects: a folder of each bucket, in it a file of each object. */
  readonly folder: string;
}

const folderPrefix = 'millrace-s3-';
const startDeadlineMs = 60_000;
const access = { keyId: 'millrace', secret: 'correct-horse-battery' };
const quiet =
  '<configuration><appender name="E" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%msg%n</pattern></encoder></appender><root level="WARN"><appender-ref ref="E"/></root></configuration>';

/** The settings of services that keep media at `url` (`s3://bucket/prefix`) of the server. */
export function s3Settings(server: S3Server, url: string): Readonly<Record<string, string>> {
  return {
    MEDIA_STORE_URL: url,
    MEDIA_S3_ENDPOINT: server.endpoint,
    MEDIA_S3_PATH_STYLE: 'true',
    MEDIA_S3_ACCESS_KEY_ID: server.keyId,
    MEDIA_S3_SECRET_ACCESS_KEY: server.secret,
  };
}

/** Starts the server and waits until it takes connections; fetches the jars where the set-up has not. */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  await ensureS3();
  removeAbandoned(folderPrefix);
  const folder = options.dataDir ?? mkdtempSync(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  for (const bucket of options.buckets) mkdirSync(join(folder, 'objects', bucket), { recursive: true });
  const endpoint = `http://127.0.0.1:${options.port ?? (await freePort())}`;
  const settings = {
    's3proxy.endpoint': endpoint,
    's3proxy.authorization': 'aws-v4',
    's3proxy.identity': access.keyId,
    's3proxy.credential': access.secret,
    'jclouds.provider': 'filesystem-nio2',
    'jclouds.filesystem.basedir': join(folder, 'objects'),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(folder, 's3proxy.conf'), lines.join(''));
  writeFileSync(join(folder, 'logback.xml'), quiet);
  const child = spawnJava({
    ...{ jars: s3JarsFolder(), main: 'org.gaul.s3proxy.Main', cwd: folder },
    args: ['--properties', join(folder, 's3proxy.conf')],
    jvm: [`-Dlogback.configurationFile=${join(folder, 'logback.xml')}`],
  });
  const said = lastLines(child);
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  let running = true;
  gone.then(
    () => (running = false),
    () => {},
  );
  const stop = async () => {
    child.kill('SIGKILL');
    await gone;
    if (options.dataDir === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const deadline = performance.now() + startDeadlineMs;
  while (!(await accepts(endpoint))) {
    if (running && performance.now() < deadline) continue;
    await stop();
    throw new Error(`the S3 server ${running ? 'was not ready in time' : 'ended'}: ${said()}`);
  }
  return { endpoint, ...access, folder: join(folder, 'objects'), [Symbol.asyncDispose]: stop };
}

/** Whether somebody listens; waits a little where nobody does. */
function accepts(endpoint: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(endpoint).port), '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => setTimeout(() => resolve(false), 40));
  });
}
