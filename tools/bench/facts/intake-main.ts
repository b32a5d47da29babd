/**
 * CMCD reports from HTTP until they can be asked for: players post events to a standalone server (PostgreSQL log, embedded ClickHouse)
 * over keep-alive connections, one and twenty reports a post. What was answered 204 has to be queryable, or shed and counted by a
 * metric, to the last report; else it ends with exit code 1. Run: `npx tsx tools/bench/facts/intake-main.ts [reports] [--quick]`. Everything, the
 * players included, shares the machine.
 */
import { spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { usageDuring } from '../../rig/process-usage.ts';
import { type StandaloneServer, startStandalone } from '../../rig/standalone-server.ts';

const [given] = process.argv.slice(2).map(Number).filter(Number.isFinite);
const reports = given ?? (process.argv.includes('--quick') ? 20_000 : 100_000);
const sessions = 100;
const connections = 16;
const unlimited = '1000000';
/** From the last answer until the last report can be asked for, at most, ms. */
const patienceMs = 60_000;

await using server = await startStandalone({
  ...{ LOG_LEVEL: 'warn', DELIVERY_BEACONS_PER_S: unlimited, DELIVERY_ADDRESS_BEACONS_PER_S: unlimited },
  ...{ DELIVERY_SESSION_BEACONS_PER_S: '1000', DELIVERY_ADDRESS_SESSIONS_PER_S: unlimited },
});
const stream = await server.api.createStream('intake');
const source = ['-re', '-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=10', '-c:v', 'libx264', '-preset', 'ultrafast'];
const publisher = spawn('ffmpeg', [
  ...['-v', 'error', '-nostdin', ...source, '-g', '10', '-f', 'flv', `${server.rtmpUrl}/${stream.key}`],
]);
try {
  const posts = await sessionPosts(server);
  for (const lines of [1, 20]) await measure(posts, lines);
} finally {
  publisher.kill('SIGKILL');
}

/** Where each of the viewers posts his events. */
async function sessionPosts(server: StandaloneServer): Promise<readonly string[]> {
  const urls: string[] = [];
  const deadline = performance.now() + 60_000;
  while (urls.length < sessions) {
    const answer = await fetch(stream.hlsUrl);
    const found = answer.ok ? /^(s\/[^/]+)\/(\S+)/m.exec(await answer.text()) : null;
    if (found === null) {
      if (performance.now() > deadline) throw new Error(`the stream cannot be played: ${server.log().slice(-2_000)}`);
      await sleep(200);
      continue;
    }
    await (await fetch(new URL(`${found[1]}/${found[2]}`, stream.hlsUrl))).text();
    urls.push(new URL(`${found[1]}/cmcd`, stream.hlsUrl).href);
  }
  return urls;
}

async function measure(posts: readonly string[], lines: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const [before, shedBefore] = [await countOf(), await shedByReason()];
  const total = lines === 1 ? Math.floor(reports / 5) : reports;
  let sent = 0;
  let [taken, refused] = [0, 0];
  const startedAt = performance.now();
  const player = async (n: number) => {
    for (let post = n; sent < total; post += connections) {
      sent += lines;
      const line = (i: number) =>
        `e=t,sta=p,v=2,ltc=${1_000 + ((post + i) % 500)},br=(3000),bl=(2000),ts=${Date.now()}`;
      const body = Array.from({ length: lines }, (_, i) => line(i));
      for (;;) {
        const status = await send(agent, posts[post % posts.length] ?? '', body);
        if (status === 204) break;
        if (status !== 503) throw new Error(`expected 204 or 503, got ${status}`);
        refused += lines;
        await sleep(100); // a player comes back later
      }
      taken += lines;
    }
  };
  const used = await usageDuring(server.pid, async () => {
    await Promise.all(Array.from({ length: connections }, (_, n) => player(n)));
  });
  const postedS = (performance.now() - startedAt) / 1_000;
  let counted = 0;
  let shed: ReadonlyMap<string, number> = new Map();
  let lost = 0;
  const deadline = performance.now() + patienceMs;
  do {
    await sleep(50);
    counted = (await countOf()) - before;
    shed = difference(await shedByReason(), shedBefore);
    lost = [...shed.values()].reduce((sum, each) => sum + each, 0);
  } while (counted + lost < taken && performance.now() < deadline);
  const queryableS = (performance.now() - startedAt) / 1_000;
  agent.destroy();
  const reasons = [...shed].map(([reason, each]) => `, ${each} shed: ${reason}`).join('');
  process.stdout.write(
    `${lines} a post: ${Math.round(taken / postedS)} reports/s answered 204 (${taken} taken, ${refused} refused with 503 before), ` +
      `${Math.round(counted / queryableS)}/s until queryable (${counted} of ${taken}${reasons}), ` +
      `server ${used.server.cores.toFixed(2)} cores, PostgreSQL ${used.postgres.cores.toFixed(2)}\n`,
  );
  if (counted + lost !== taken) {
    process.exitCode = 1;
    process.stdout.write(`  NOT EXACT: ${taken} were taken, ${counted} can be asked for, ${lost} were shed\n`);
  }
}

/** Reports that were dropped after they had been taken, by what counted them; what was refused is none of them. */
async function shedByReason(): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${server.httpUrl}/metrics`)).text();
  const shed = new Map<string, number>();
  const sampled =
    /^millrace_eventlog_dropped_samples_total\{(?=[^}]*service="delivery")[^}]*reason="([^"]+)"[^}]*\} (\d+)/gm;
  for (const [, reason = '', value] of text.matchAll(sampled)) shed.set(reason, Number(value));
  const dropped =
    /^millrace_delivery_beacon_drops_total\{reason="(overload|session-rate|no-session|too-many|syntax|value)"\} (\d+)/gm;
  for (const [, reason = '', value] of text.matchAll(dropped)) shed.set(reason, Number(value));
  return shed;
}

function difference(
  after: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const grown = [...after].map(([reason, value]) => [reason, value - (before.get(reason) ?? 0)] as const);
  return new Map(grown.filter(([, value]) => value > 0));
}

async function countOf(): Promise<number> {
  const answer = await server.api.call('POST', '/analytics/sql', { query: 'SELECT count() AS n FROM v_beacons' });
  const [row] = answer['rows'] as readonly (readonly unknown[])[];
  return Number(row?.[0] ?? 0);
}

function send(agent: Agent, url: string, lines: readonly string[]): Promise<number> {
  const body = `${lines.join('\n')}\n`;
  const headers = { 'content-type': 'application/cmcd', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
