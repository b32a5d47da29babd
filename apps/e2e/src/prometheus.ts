/** A real Prometheus that scrapes what a test gives it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
// Ports are chosen as for every other process that is started in tests.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { freePort } from '../../../tools/rig/free-port.ts';
import { startProgram } from './child-program.ts';
import { eventually } from './eventually.ts';
import { openDataDir } from './standalone.ts';

export interface ScrapeTarget {
  readonly url: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** One series of an instant query. */
export interface QuerySample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface TestPrometheus extends AsyncDisposable {
  /** Scrape URL and error of every target that is not up. */
  down(): Promise<readonly string[]>;
  query(expr: string): Promise<readonly QuerySample[]>;
  /** Names and labels of all series, without their values. */
  series(match: string): Promise<readonly Readonly<Record<string, string>>[]>;
}

/** Starts it with a scrape every half second. */
export async function startPrometheus(targets: readonly ScrapeTarget[]): Promise<TestPrometheus> {
  const data = await openDataDir();
  const port = await freePort();
  const config = {
    global: { scrape_interval: '500ms', scrape_timeout: '400ms' },
    scrape_configs: [
      {
        job_name: 'millrace',
        static_configs: targets.map(({ url, labels }) => ({ targets: [new URL(url).host], labels })),
      },
    ],
  };
  const file = join(data.path, 'prometheus.yml');
  writeFileSync(file, JSON.stringify(config)); // YAML holds JSON
  const listen = `--web.listen-address=127.0.0.1:${port}`;
  const store = `--storage.tsdb.path=${join(data.path, 'tsdb')}`;
  const program = startProgram('prometheus', [`--config.file=${file}`, store, listen, '--log.level=warn']);
  const ask = async <T>(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<T> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    return ((await answer.json()) as { data: T }).data;
  };
  const dispose = async () => {
    await program[Symbol.asyncDispose]();
    await data[Symbol.asyncDispose]();
  };
  try {
    await eventually(
      async () => {
        if (!program.running) throw new Error(program.stderr());
        return fetch(`http://127.0.0.1:${port}/-/ready`).then(
          (answer) => answer.ok,
          () => false,
        );
      },
      'Prometheus is ready',
      15_000,
    );
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    async down() {
      type Target = { readonly health: string; readonly scrapeUrl: string; readonly lastError: string };
      const { activeTargets } = await ask<{ activeTargets: readonly Target[] }>('targets');
      return activeTargets.filter(({ health }) => health !== 'up').map((each) => `${each.scrapeUrl} ${each.lastError}`);
    },
    async query(expr) {
      type Found = { readonly metric: Record<string, string>; readonly value: readonly [number, string] };
      const { result } = await ask<{ result: readonly Found[] }>('query', { query: expr });
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    series: (match) => ask('series', { 'match[]': match }),
    [Symbol.asyncDispose]: dispose,
  };
}
