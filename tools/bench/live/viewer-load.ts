/** CPU of LL-HLS viewers on one stream: each keeps a blocked reload open and fetches every part, as a player does. */
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { table } from '../../docs/markdown.ts';
import { type Usage, usageDuring } from '../../rig/process-usage.ts';
import { startStandalone } from '../../rig/standalone-server.ts';
import { untilPlayable } from './latency.ts';
import { percentile } from './percentile.ts';
import { recording, startPublishers } from './publishers.ts';

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
  const columns = ['viewers', 'CPU', 'of which without viewers', 'parts/s each', 'reloads/s each', 'Mbit/s in all'];
  return `## Viewers

One stream of 2.5 Mbit/s with parts of 200 ms. Each viewer keeps a blocked reload open on the video and on the audio playlist and
fetches every part over HTTP/1.1, from a client on the same machine.

${table([...columns, 'time between parts p99', 'failed requests'], rows)}`;
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
  const lists = playlistsIn(multivariant.toString('utf8'), hlsUrl);
  if (lists.length === 0) total.failures++;
  await Promise.all(lists.map((url) => follow(url, agent, signal, total)));
}

/** URIs of the media playlists: variants and audio renditions. */
function playlistsIn(text: string, base: string): readonly string[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const renditions = [...text.matchAll(/^#EXT-X-MEDIA:.*URI="([^"]+)"/gm)].map((found) => found[1] ?? '');
  return [...new Set([...lines, ...renditions])].map((uri) => new URL(uri, base).href);
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
    query = nextPosition(text);
  }
}

/** The query of the next blocked reload: the part after the last one listed. */
function nextPosition(text: string): string {
  const first = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1] ?? 0);
  const segments = [...text.matchAll(/^#EXTINF:/gm)].length;
  const tail = text.slice(text.lastIndexOf('#EXTINF:') + 1);
  const parts = [...tail.matchAll(/^#EXT-X-PART:/gm)].length;
  return `?_HLS_msn=${first + segments}&_HLS_part=${parts}`;
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
