/** CPU of LL-HLS viewers on one stream: each keeps a blocked reload open and fetches every part, as a player does. */
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { table } from '../../docs/markdown.ts';
import { type Usage, usageDuring } from '../../rig/process-usage.ts';
import { startStandalone } from '../../rig/standalone-server.ts';
import { untilPlayable } from './latency.ts';
import { mediaPlaylistsOf, nextPosition, reloadQuery } from './media-position.ts';
import { percentile } from './percentile.ts';
import { recording, startPublishers } from './publishers.ts';
import { type JitterResult, measureJitter } from './reload-jitter.ts';

interface ViewerCount {
  parts: number;
  reloads: number;
  bytes: number;
  failures: number;
  /** Times between two parts' arrivals, ms. */
  readonly gapsMs: number[];
}

/** Measures 100 viewers (10 when quick) and returns the section of the report. */
export async function measureViewers(quick: boolean, say: (line: string) => void): Promise<string> {
  await using server = await startStandalone({ LOG_LEVEL: 'warn' });
  const stream = await server.api.createStream('viewers');
  await using publisher = startPublishers(await recording(), [`${server.rtmpUrl}/${stream.key}`]);
  await untilPlayable(stream.hlsUrl, () => '');
  await sleep(6_000);
  publisher.assertAllRunning();
  const idle = await usageDuring(server.pid, () => sleep(quick ? 5_000 : 15_000));
  const rows: string[][] = [];
  for (const viewers of quick ? [10] : [100]) {
    const total: ViewerCount = { parts: 0, reloads: 0, bytes: 0, failures: 0, gapsMs: [] };
    const stop = new AbortController();
    const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
    const crowd = Array.from({ length: viewers }, () => watch(stream.hlsUrl, agent, stop.signal, total));
    await sleep(5_000);
    Object.assign(total, { parts: 0, reloads: 0, bytes: 0, failures: 0 });
    total.gapsMs.length = 0;
    const seconds = quick ? 10 : 30;
    const { server: usage } = await usageDuring(server.pid, () => sleep(seconds * 1000));
    const counted = { ...total, gapsMs: [...total.gapsMs] };
    stop.abort();
    await Promise.all(crowd);
    agent.destroy();
    rows.push(row(viewers, seconds, usage, idle.server, counted));
    say(`${viewers} viewers: ${(usage.cores * 100).toFixed(1)} % of a core, ${counted.failures} failed requests`);
  }
  const jitter: JitterResult[] = [];
  for (const waiters of quick ? [200] : [200, 1_000]) {
    const result = await measureJitter(stream.hlsUrl, waiters, quick ? 10 : 40);
    jitter.push(result);
    say(`${waiters} waiters released within p50 ${result.p50.toFixed(1)} ms, p99 ${result.p99.toFixed(1)} ms`);
  }
  const columns = ['viewers', 'CPU', 'of which without viewers', 'parts/s each', 'reloads/s each', 'Mbit/s in all'];
  return `## Viewers

One stream of 2.5 Mbit/s with parts of 200 ms. Each viewer keeps a blocked reload open on the video and on the audio playlist and
fetches every part over HTTP/1.1, from a client on the same machine.

${table([...columns, 'time between parts p99', 'failed requests'], rows)}
All waiters of one part hold a reload open; the spread is from the first complete answer to each other one, the client's own
time included.

${table(
  ['waiters', 'rounds', 'spread p50', 'spread p99', 'worst'],
  jitter.map((each) => [
    String(each.waiters),
    String(each.rounds),
    ...[each.p50, each.p99, each.worst].map((ms) => `${ms.toFixed(1)} ms`),
  ]),
)}`;
}

function row(viewers: number, seconds: number, usage: Usage, idle: Usage, counted: ViewerCount): string[] {
  return [
    String(viewers),
    `${(usage.cores * 100).toFixed(1)} %`,
    `${(idle.cores * 100).toFixed(1)} %`,
    (counted.parts / viewers / seconds).toFixed(1),
    (counted.reloads / viewers / seconds).toFixed(1),
    ((counted.bytes * 8) / seconds / 1e6).toFixed(0),
    `${percentile(counted.gapsMs, 0.99).toFixed(0)} ms`,
    String(counted.failures),
  ];
}

/** One viewer: the multivariant playlist, then all of its media playlists at once. */
async function watch(hlsUrl: string, agent: Agent, signal: AbortSignal, total: ViewerCount): Promise<void> {
  const multivariant = await fetchBytes(hlsUrl, agent, total);
  const lists = mediaPlaylistsOf(multivariant.toString('utf8'), hlsUrl);
  if (lists.length === 0) total.failures++;
  await Promise.all(lists.map((url) => follow(url, agent, signal, total)));
}

/** Follows one media playlist by blocked reloads and fetches each part when it is listed. */
async function follow(url: string, agent: Agent, signal: AbortSignal, total: ViewerCount): Promise<void> {
  let seen: string | undefined;
  let query = '';
  let lastAt: number | undefined;
  while (!signal.aborted) {
    const text = (await fetchBytes(url + query, agent, total)).toString('utf8');
    if (text === '') {
      await sleep(200);
      continue;
    }
    total.reloads++;
    const parts = [...text.matchAll(/^#EXT-X-PART:.*URI="([^"]+)"/gm)].map((found) => found[1] ?? '');
    const fresh = seen === undefined ? parts.slice(-1) : parts.slice(parts.indexOf(seen) + 1);
    seen = parts.at(-1);
    for (const part of fresh) {
      const body = await fetchBytes(new URL(part, url).href, agent, total);
      total.parts++;
      total.bytes += body.length;
      const now = performance.now();
      if (lastAt !== undefined) total.gapsMs.push(now - lastAt);
      lastAt = now;
    }
    query = reloadQuery(nextPosition(text));
  }
}

function fetchBytes(url: string, agent: Agent, total: ViewerCount): Promise<Buffer> {
  return new Promise((resolve) => {
    const failed = () => {
      total.failures++;
      resolve(Buffer.alloc(0));
    };
    const request = get(url, { agent, timeout: 10_000 }, (answer) => {
      const received: Buffer[] = [];
      answer.on('data', (bytes: Buffer) => received.push(bytes));
      answer.on('end', () => (answer.statusCode === 200 ? resolve(Buffer.concat(received)) : failed()));
      answer.on('error', failed);
    });
    request.on('timeout', () => request.destroy(new Error('timeout')));
    request.on('error', failed);
  });
}
