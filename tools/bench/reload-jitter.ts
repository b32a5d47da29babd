/**
 * How far apart do blocked reloads get their answer? N raw keep-alive connections in this process ask for the next part's
 * playlist; the origin, in its own, writes the part; the time from just before the write to each answer's first byte
 * is taken on the machine's monotonic clock. Run: `npx tsx tools/bench/reload-jitter.ts [200 1000]`
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { OriginProcess, percentile } from './origin-process.ts';

const rounds = 25;
const warmUpRounds = 5;

interface Release {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/**
 * Measures the release of `waiters` reloads: medians over the rounds of each round's p50 and p99 (a busy machine disturbs
 * some rounds as a whole), and the largest delay of all.
 */
export async function measureRelease(origin: OriginProcess, waiters: number): Promise<Release> {
  const url = new URL((await origin.mediaPlaylists())['video'] ?? '');
  const sockets = await Promise.all(Array.from({ length: waiters }, () => open(origin.port)));
  const rounded: Release[] = [];
  for (let round = 0; round < warmUpRounds + rounds; round++) {
    const query = await nextPart(url.href);
    const request = `GET ${url.pathname}${query} HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: gzip\r\n\r\n`;
    const answers = sockets.map((socket) => firstByte(socket));
    for (const socket of sockets) socket.write(request);
    await untilHeld(origin, waiters);
    const { at } = await origin.ask('write', 'written');
    const arrived = await Promise.all(answers);
    const delaysMs = arrived.map((time) => Number(time - BigInt(at)) / 1e6);
    if (round >= warmUpRounds) rounded.push(releaseOf(delaysMs));
  }
  for (const socket of sockets) socket.destroy();
  const median = (pick: (release: Release) => number) => percentile(rounded.map(pick), 0.5);
  return {
    p50Ms: median((release) => release.p50Ms),
    p99Ms: median((release) => release.p99Ms),
    maxMs: Math.max(...rounded.map((release) => release.maxMs)),
  };
}

function releaseOf(delaysMs: readonly number[]): Release {
  return { p50Ms: percentile(delaysMs, 0.5), p99Ms: percentile(delaysMs, 0.99), maxMs: Math.max(...delaysMs) };
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  socket.resume();
  return socket;
}

/** The query that waits for what the playlist hints at. */
async function nextPart(url: string): Promise<string> {
  const text = await (await fetch(url)).text();
  const [, segment, part] = /PRELOAD-HINT:.*-(\d+)\.(\d+)\.m4s/.exec(text) ?? [];
  return `?_HLS_msn=${segment}&_HLS_part=${part}`;
}

function firstByte(socket: Socket): Promise<bigint> {
  return new Promise((resolve) => socket.once('data', () => resolve(process.hrtime.bigint())));
}

async function untilHeld(origin: OriginProcess, count: number): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if ((await origin.ask('usage', 'usage')).heldRequests >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`expected ${count} held requests at the origin`);
}

if (process.argv[1]?.endsWith('reload-jitter.ts')) {
  const counts = process.argv.slice(2).map(Number).filter(Number.isFinite);
  await using origin = await OriginProcess.start();
  for (const waiters of counts.length > 0 ? counts : [200, 1000]) {
    const { p50Ms, p99Ms, maxMs } = await measureRelease(origin, waiters);
    const [p50, p99, max] = [p50Ms, p99Ms, maxMs].map((ms) => ms.toFixed(1));
    process.stdout.write(`${waiters} blocked reloads: released p50 ${p50} ms, p99 ${p99} ms, max ${max} ms\n`);
  }
}
