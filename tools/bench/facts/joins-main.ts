/**
 * Viewers that join one delivery: each opens a connection, gets the multivariant playlist (which mints his session) and a media
 * playlist (which makes him a viewer). A thousand a second for ten seconds, then as fast as it goes; beside them as many requests
 * of as many connections for a fixed text of the same size from the same server. Delivery has a process of its own, with the log
 * in PostgreSQL, a spool and a journal on the disk; the viewers have another. At the end the log has to say of each that he
 * joined, once. Run: `npx tsx tools/bench/facts/joins-main.ts [--quick] [--profile]`.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { openPostgresEventLog } from '@millrace/eventlog';
import { audienceTopic, viewerSessionsTopic } from '@millrace/events';
import { silentLogger } from '@millrace/log';
import { createTestDatabase } from '@millrace/postgres/testing';
import { table } from '../../docs/markdown.ts';
import { inRepository } from '../../setup/workspace.mjs';
import { OriginProcess } from '../origin-process.ts';
import type { JoinOrder, JoinReport } from './join-clients.ts';

const quick = process.argv.includes('--quick');
const perSecond = 1_000;
const pacedCount = perSecond * (quick ? 3 : 10);
const ceilingCount = quick ? 3_000 : 10_000;
const atOnce = 64;

await using database = await createTestDatabase();
await using origin = await OriginProcess.start(
  process.argv.includes('--profile') ? ['--cpu-prof', '--cpu-prof-dir=.cache/profiles'] : [],
  {
    BENCH_DATABASE_URL: database.url,
    TRUSTED_PROXIES: '127.0.0.1',
    DELIVERY_VIEWER_SILENCE_MS: '120000', // all of them are there at the end
    DELIVERY_VIEWER_SECRET: 'of-the-bench',
  },
);
const viewers = spawn(
  process.execPath,
  ['--import', 'tsx', inRepository('tools', 'bench', 'facts', 'join-clients.ts')],
  {
    stdio: ['pipe', 'pipe', 'inherit'],
  },
);
const answers = createInterface({ input: viewers.stdout })[Symbol.asyncIterator]();
origin.tell('run');

interface Measured extends JoinReport {
  /** Share of one core that the server used. */
  readonly core: number;
}

async function measure(order: Omit<JoinOrder, 'port' | 'atOnce'>): Promise<Measured> {
  const before = await origin.ask('usage', 'usage');
  viewers.stdin.write(`${JSON.stringify({ ...order, port: origin.port, atOnce } satisfies JoinOrder)}\n`);
  const line = await answers.next();
  if (line.done === true) throw new Error('the process of the viewers has ended');
  const report = JSON.parse(line.value) as JoinReport;
  const after = await origin.ask('usage', 'usage');
  if (report.failures > 0) throw new Error(`${report.failures} of ${order.count} were not answered`);
  return { ...report, core: (after.cpuMs - before.cpuMs) / 1_000 / report.seconds };
}

try {
  const live = { first: `/live/${origin.playbackId}/index.m3u8`, second: 'media-playlist' } as const;
  await measure({ ...live, count: 500, perSecond: 250, from: 0 }); // compiles
  const paced = await measure({ ...live, count: pacedCount, perSecond, from: 500 });
  const ceiling = await measure({ ...live, count: ceilingCount, perSecond: 0, from: 500 + pacedCount });
  const bytes = Math.round((paced.bytes / paced.joined / 2) | 0);
  const fixed = { first: `/static/${bytes}`, second: 'same', from: 0 } as const;
  await measure({ ...fixed, count: 500, perSecond: 250 });
  const pacedStatic = await measure({ ...fixed, count: pacedCount, perSecond });
  const ceilingStatic = await measure({ ...fixed, count: ceilingCount, perSecond: 0 });

  const row = (name: string, of: (one: Measured) => number, ours: Measured, bare: Measured, digits: number) => [
    ...[name, of(ours).toFixed(digits), of(bare).toFixed(digits), (of(ours) / of(bare)).toFixed(2)],
  ];
  const rate = (one: Measured) => one.joined / one.seconds;
  process.stdout.write(
    table(
      [`joins (two answers of ${bytes} bytes on average)`, 'delivery', 'fixed text', 'ratio'],
      [
        row('viewers/s, asked for 1,000', rate, paced, pacedStatic, 0),
        row('first answer p50, ms', (one) => one.firstP50, paced, pacedStatic, 2),
        row('first answer p99, ms', (one) => one.firstP99, paced, pacedStatic, 2),
        row('second answer p50, ms', (one) => one.secondP50, paced, pacedStatic, 2),
        row('second answer p99, ms', (one) => one.secondP99, paced, pacedStatic, 2),
        row('cores of the server', (one) => one.core, paced, pacedStatic, 2),
        row(`viewers/s, ${atOnce} at once`, rate, ceiling, ceilingStatic, 0),
        row('cores of the server then', (one) => one.core, ceiling, ceilingStatic, 2),
      ],
    ),
  );
  await checkCounts(500 + pacedCount + ceilingCount);
} finally {
  viewers.kill('SIGKILL');
}

/** What the log says has to be what was done. */
async function checkCounts(expected: number): Promise<void> {
  await using log = await openPostgresEventLog({
    url: database.url,
    source: 'reader',
    log: silentLogger,
    wake: 'notify',
  });
  const joins = new Map<string, number>();
  let [audience, left] = [0, 0];
  await log.follow({
    topic: viewerSessionsTopic,
    from: 'earliest',
    onRecord: ({ value }) => {
      if (value?.type === 'ViewerJoined') joins.set(value.session_id, (joins.get(value.session_id) ?? 0) + 1);
      else if (value !== undefined) left++;
    },
  });
  await log.follow({
    topic: audienceTopic,
    from: 'earliest',
    onRecord: ({ value }) => {
      audience = value?.viewers ?? audience;
    },
  });
  for (let waited = 0; waited < 30_000 && (joins.size < expected || audience < expected); waited += 50) await sleep(50);
  const twice = [...joins.values()].filter((count) => count > 1).length;
  process.stdout.write(
    `viewers: ${expected} joined, the log tells of ${joins.size} (${twice} more than once, ${left} left), counted ${audience}\n`,
  );
  if (joins.size !== expected || audience !== expected || twice + left > 0) process.exitCode = 1;
}
