/** The cluster of `npm run cluster`, for a test: free ports, a temporary folder, what it logs kept for a failure. */
import { openLogger } from '@millrace/log';
// What the tests kill and restart is what a person runs.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { type ClusterOptions, type ClusterProcesses, startClusterProcesses } from '../../../tools/cluster/cluster.ts';
import { RestClient } from './rest-client.ts';
import { openDataDir } from './standalone.ts';
import type { Target } from './target.ts';

export interface ClusterTarget extends Target {
  readonly processes: ClusterProcesses;
  readonly dataDir: string;
  /** The last lines of every process, for a test that fails. */
  output(): string;
}

/** Starts it and waits until every process is ready. */
export async function startClusterTarget(given: Partial<ClusterOptions> = {}): Promise<ClusterTarget> {
  const data = await openDataDir();
  const said: string[] = [];
  const log = openLogger({ service: 'cluster', level: 'info', write: (line) => said.push(line) });
  try {
    const processes = await startClusterProcesses({ dataDir: data.path, log, readyWithinMs: 180_000, ...given });
    const { publicUrl, rtmpPort, adminLink } = processes;
    return {
      processes,
      dataDir: data.path,
      httpUrl: publicUrl,
      publishUrl: ({ key }) => `rtmp://127.0.0.1:${rtmpPort}/live/${key}`,
      hlsUrl: ({ playbackId }) => `${publicUrl}/live/${playbackId}/index.m3u8`,
      signIn: () => RestClient.signIn(publicUrl, new URL(adminLink).hash.replace('#code=', '')),
      output: () =>
        [
          said.join('').slice(-2_000),
          ...processes.names.map((name) => `--- ${name}\n${processes.tail(name).slice(-2_000)}`),
        ].join('\n'),
      async [Symbol.asyncDispose]() {
        await processes[Symbol.asyncDispose]();
        await data[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await data[Symbol.asyncDispose]();
    throw new Error(`${String(error)}\n${said.join('').slice(-4_000)}`, { cause: error });
  }
}
