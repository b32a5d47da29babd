/**
 * What does it cost to serve LL-HLS viewers? Each viewer plays two renditions of a 2.7 Mbit/s stream with 200 ms parts over
 * two keep-alive connections: blocked reload, part, and so on; 20 requests a second. The origin has a process of its own.
 * Run: `npx tsx tools/bench/viewers.ts [viewers=100] [seconds=15] [--profile]`
 */
import { Agent, get } from 'node:http';
import { OriginProcess, percentile } from './origin-process.ts';

export interface ViewersResult {
  /** Share of one core that the origin used, and the load generator beside it. */
  readonly originCore: number;
  readonly generatorCore: number;
  readonly requestsPerS: number;
  readonly megabytesPerS: number;
  readonly rssMb: number;
  readonly gapP99Ms: number;
  readonly failures: number;
}

interface Tally {
  requests: number;
  bytes: number;
  failures: number;
  readonly gapsMs: number[];
}

/** Plays one rendition of one viewer until `signal` aborts. */
async function play(playlist: string, tally: Tally, signal: AbortSignal): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let query = '';
  let lastMs: number | undefined;
  while (!signal.aborted) {
    const text = (await fetchBody(`${playlist}${query}`, agent, tally)).toString();
    const part = /#EXT-X-PART:[^\n]*URI="([^"]+)"[^\n]*\n(?:#EXTINF.*\n.*\n)?#EXT-X-PRELOAD/.exec(text)?.[1];
    const [, segment, next] = /PRELOAD-HINT:.*-(\d+)\.(\d+)\.m4s/.exec(text) ?? [];
    query = `?_HLS_msn=${segment}&_HLS_part=${next}`;
    if (part !== undefined) await fetchBody(new URL(part, playlist).href, agent, tally);
    const nowMs = performance.now();
    if (lastMs !== undefined) tally.gapsMs.push(nowMs - lastMs);
    lastMs = nowMs;
  }
  agent.destroy();
}

function fetchBody(url: string, agent: Agent, tally: Tally): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => {
        const body = Buffer.concat(pieces);
        tally.requests++;
        tally.bytes += body.byteLength;
        if (response.statusCode !== 200) tally.failures++;
        resolve(body);
      });
    }).on('error', reject);
  });
}

/** Plays `viewers` viewers for `seconds` after a warm-up of 3 s. */
export async function measureViewers(origin: OriginProcess, viewers: number, seconds: number): Promise<ViewersResult> {
  const tally: Tally = { requests: 0, bytes: 0, failures: 0, gapsMs: [] };
  const stop = new AbortController();
  origin.tell('run');
  const playing: Promise<void>[] = [];
  for (let viewer = 0; viewer < viewers; viewer++) {
    for (const playlist of Object.values(await origin.mediaPlaylists())) {
      playing.push(play(playlist, tally, stop.signal));
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const before = await origin.ask('usage', 'usage');
  const own = process.cpuUsage();
  const startedMs = performance.now();
  Object.assign(tally, { requests: 0, bytes: 0, gapsMs: [] });
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const after = await origin.ask('usage', 'usage');
  const spent = process.cpuUsage(own);
  const elapsedMs = performance.now() - startedMs;
  const { requests, bytes, gapsMs, failures } = tally;
  stop.abort();
  await Promise.all(playing);
  return {
    originCore: (after.cpuMs - before.cpuMs) / elapsedMs,
    generatorCore: (spent.user + spent.system) / 1000 / elapsedMs,
    requestsPerS: (requests * 1000) / elapsedMs,
    megabytesPerS: bytes / 1000 / elapsedMs,
    rssMb: after.rssMb,
    gapP99Ms: percentile(gapsMs, 0.99),
    failures,
  };
}

if (process.argv[1]?.endsWith('viewers.ts')) {
  const [viewers = 100, seconds = 15] = process.argv.slice(2).map(Number).filter(Number.isFinite);
  await using origin = await OriginProcess.start(process.argv.includes('--profile') ? ['--cpu-prof'] : []);
  const result = await measureViewers(origin, viewers, seconds);
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  process.stdout.write(
    `${viewers} viewers: origin ${percent(result.originCore)} of a core, generator ${percent(result.generatorCore)}; ` +
      `${result.requestsPerS.toFixed(0)} requests/s, ${result.megabytesPerS.toFixed(1)} MB/s, ` +
      `gap between parts p99 ${result.gapP99Ms.toFixed(0)} ms, ${result.rssMb.toFixed(0)} MB, ${result.failures} failures\n`,
  );
}
