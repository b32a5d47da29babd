/**
 * `hub-storm`: ten thousand clients are sent from one hub to another and back while a stream changes, over ten seconds and then
 * all at once; none may miss a change or get one twice. The clients are in a process of their own, so that the hubs have a core to
 * themselves.
 */
import { spawn } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestPlant } from '../../apps/hub/src/testing.ts';
import { Storm } from '../../apps/hub/test/storm-clients.ts';

/** Each of the two processes opens a file for each; Node itself asks for as many as the machine allows. */
const defaultCount = 10_000;
/** Who leaves, in turn: over how long it sends its clients away, ms. The second has all of them, and so has the third. */
const leaves = [
  { next: 'hub-3', spreadMs: 10_000 },
  { next: 'hub-4', spreadMs: 10_000 },
  { next: 'hub-5', spreadMs: 0 },
] as const;

interface Report {
  readonly open: number;
  readonly current: number;
  readonly gaps: number;
  readonly duplicates: number;
  readonly firstSnapshots: number;
  readonly laterSnapshots: number;
  readonly connections: number;
}

export async function hubStorm(say: (line: string) => void, count = defaultCount): Promise<readonly string[]> {
  await using plant = new TestPlant();
  let version = 1;
  const publish = () => plant.define('str_a', { title: `${version}` });
  await publish();
  await plant.broadcast('str_a', 'StreamPublished');
  const open = (instanceId: string, spreadMs: number) => {
    const settings = { HUB_DRAIN_SPREAD_MS: `${spreadMs}`, HUB_MAX_HANDSHAKES_PER_S: '2000' };
    return plant.openHub({ instanceId, settings });
  };
  let hubs = [await open('hub-1', leaves[0].spreadMs), await open('hub-2', leaves[1].spreadMs)];
  const child = spawn(process.execPath, ['--import', 'tsx', import.meta.filename, '--clients', String(count)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (): Promise<Report> => {
    child.stdin.write(`${JSON.stringify({ urls: hubs.map(({ url }) => url), version })}\n`);
    const line = await answers.next();
    if (line.done === true) throw new Error('the client process has ended');
    return JSON.parse(line.value) as Report;
  };
  const until = async (what: string, claim: (report: Report) => boolean): Promise<Report> => {
    for (let waited = 0; waited < 180_000; waited += 500) {
      const report = await ask();
      if (claim(report)) return report;
      await sleep(500);
    }
    throw new Error(`${what}: not within 180 s: ${JSON.stringify(await ask())}`);
  };
  try {
    await until('all connected', ({ current }) => current === count);
    const publishing = setInterval(() => {
      version++;
      void publish();
    }, 1_000);
    try {
      for (const [turn, { next, spreadMs }] of leaves.entries()) {
        const [leaving, staying] = hubs;
        if (leaving === undefined || staying === undefined) throw new Error('expected two hubs');
        hubs = [staying];
        const before = await ask();
        const delay = monitorEventLoopDelay({ resolution: 1 });
        delay.enable();
        const startedMs = performance.now();
        await leaving[Symbol.asyncDispose]();
        const { connections } = await until('all back', (report) => report.open === count);
        const backS = (performance.now() - startedMs) / 1000;
        delay.disable();
        const [p99, longest] = [delay.percentile(99), delay.max].map((ns) => (ns / 1e6).toFixed(1));
        say(
          `hub-storm: ${turn === 0 ? count / 2 : count} of ${count} sent away over ${spreadMs / 1000} s: all back after ` +
            `${backS.toFixed(1)} s in ${connections - before.connections} attempts, loop stall p99 ${p99} ms, longest ${longest} ms`,
        );
        hubs = [staying, await open(next, leaves[turn + 2]?.spreadMs ?? 0)];
      }
    } finally {
      clearInterval(publishing);
    }
    const report = await until('all at the last version', ({ current }) => current === count);
    say(`hub-storm: ${JSON.stringify(report)}`);
    const { gaps, duplicates } = report;
    return gaps + duplicates === 0 ? [] : [`${gaps} gaps and ${duplicates} duplicates`];
  } finally {
    child.kill('SIGKILL');
  }
}

/** The client process: takes where to connect and the newest version, answers how things stand. */
async function runClients(count: number): Promise<void> {
  let urls: readonly string[] = [];
  let storm: Storm | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line) as { readonly urls: readonly string[]; readonly version: number };
    urls = order.urls;
    storm ??= new Storm({ count, streamId: 'str_a', urls: () => urls });
    const { tally } = storm;
    process.stdout.write(`${JSON.stringify({ ...tally, at: undefined, current: tally.at(order.version) })}\n`);
  }
}

const clients = process.argv.indexOf('--clients');
if (clients > 0 && process.argv[1] === import.meta.filename) await runClients(Number(process.argv[clients + 1]));
