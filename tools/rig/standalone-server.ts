/** A standalone server of our own in a temporary data folder, for benchmarks and long tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureRunBundle } from '../setup/bundle.mjs';
import { rootDir } from '../setup/workspace.mjs';
import { ApiClient } from './api-client.ts';
import { freePort } from './free-port.ts';

export interface StandaloneServer extends AsyncDisposable {
  readonly pid: number;
  readonly httpUrl: string;
  /** Where publishers connect; the key is appended after a slash. */
  readonly rtmpUrl: string;
  readonly api: ApiClient;
  /** From spawn until `/readyz` said ready, ms. */
  readonly readyMs: number;
  /** What it has printed so far. */
  log(): string;
  /** Sends a signal and resolves with the exit code. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

/**
 * Starts the server as `npm start` does (from the bundle), waits until it is ready and signs in with its one-time link.
 * Throws with the end of its output when it ends or is not ready within `timeoutMs`.
 */
export async function startStandalone(
  settings: Readonly<Record<string, string>> = {},
  timeoutMs = 60_000,
): Promise<StandaloneServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-rig-'));
  const [httpPort, rtmpPort] = [await freePort(), await freePort()];
  const httpUrl = `http://127.0.0.1:${httpPort}`;
  const bundle = await ensureRunBundle('standalone');
  const startedAt = performance.now();
  const child = spawn(process.execPath, [bundle], {
    cwd: rootDir,
    env: {
      ...process.env,
      DATA_DIR: dataDir,
      HTTP_PORT: String(httpPort),
      RTMP_PORT: String(rtmpPort),
      PUBLIC_URL: httpUrl,
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output.push(text);
      if (output.length > 5_000) output.splice(0, 1_000);
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const stop = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
    const code = await ended;
    clearTimeout(timer);
    return code;
  };
  const dispose = async () => {
    await stop('SIGTERM');
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    await untilReady(child, httpUrl, timeoutMs);
    const readyMs = performance.now() - startedAt;
    const code = await signInCode(output, timeoutMs);
    const api = await ApiClient.signIn(httpUrl, code);
    return {
      pid: child.pid ?? 0,
      httpUrl,
      rtmpUrl: `rtmp://127.0.0.1:${rtmpPort}/live`,
      api,
      readyMs,
      log: () => output.join(''),
      stop,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw new Error(`standalone did not start: ${String(error)}\n${output.join('').slice(-4_000)}`, { cause: error });
  }
}

async function untilReady(child: ChildProcess, httpUrl: string, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`it ended with exit code ${child.exitCode}`);
    const ready = await fetch(`${httpUrl}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) return;
    await sleep(25);
  }
  throw new Error(`it was not ready within ${timeoutMs} ms`);
}

/** The code in the one-time link that the first start prints. */
async function signInCode(output: readonly string[], timeoutMs: number): Promise<string> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    const code = /\/sign-in#code=([^\s"'\\]+)/.exec(output.join(''))?.[1];
    if (code) return code;
    await sleep(25);
  }
  throw new Error('it printed no sign-in link');
}
