/** Glass-to-glass latency and time to first frame, with our watch page and with stock hls.js. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { StandaloneServer } from '../../rig/standalone-server.ts';
import { startClockSource } from './clock-source.ts';
import { percentile } from './percentile.ts';
import { openBrowser, type Playback, play, serveStockPlayer } from './player-page.ts';

export interface LatencyPlan {
  readonly ownRuns: number;
  readonly stockRuns: number;
  readonly settleMs: number;
  readonly measureMs: number;
}

export interface LatencyResult {
  readonly partMs: 200 | 333;
  readonly player: 'our watch page' | 'stock hls.js';
  readonly runs: readonly Playback[];
}

/** Measures both players on a stream with parts of 200 ms, and on one with 333 ms. */
export async function measureLatency(
  server: StandaloneServer,
  plan: LatencyPlan,
  say: (line: string) => void,
): Promise<readonly LatencyResult[]> {
  const results: LatencyResult[] = [];
  await using stock = await serveStockPlayer();
  for (const partMs of [200, 333] as const) {
    const stream = await server.api.createStream(`latency ${partMs}`, partMs === 200 ? 'low' : 'standard');
    await using source = startClockSource(`${server.rtmpUrl}/${stream.key}`);
    await untilPlayable(stream.hlsUrl, () => source.encoder.log());
    // A running stream: longer than the player's whole start-up, and past the first playlists.
    await sleep(8_000);
    for (const player of ['our watch page', 'stock hls.js'] as const) {
      const own = player === 'our watch page';
      const runs: Playback[] = [];
      for (let run = 0; run < (own ? plan.ownRuns : plan.stockRuns); run++) {
        const browser = await openBrowser();
        try {
          const url = own ? stream.watchUrl : stock.url(stream.hlsUrl);
          const playback = await play(browser, url, plan.settleMs, plan.measureMs);
          runs.push(playback);
          say(`${partMs} ms parts, ${player}, run ${run + 1}: ${describe(playback)}`);
        } finally {
          await browser.close();
        }
      }
      results.push({ partMs, player, runs });
    }
    say(`frames the source wrote late: ${source.lateFrames()}`);
  }
  return results;
}

/** One line about a playback. */
function describe(playback: Playback): string {
  const [p50, p95] = [percentile(playback.latencies, 0.5), percentile(playback.latencies, 0.95)];
  return (
    `p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms over ${playback.latencies.length} frames, ` +
    `first frame ${playback.firstFrameMs.toFixed(0)} ms, ${playback.waits} stalls, longest gap ${playback.longestGapMs.toFixed(0)} ms, ` +
    `${playback.unreadable} unreadable`
  );
}

/** Waits until the multivariant playlist answers, at most 20 s. */
export async function untilPlayable(hlsUrl: string, log: () => string): Promise<void> {
  const deadline = performance.now() + 20_000;
  let last = 'nothing';
  while (performance.now() < deadline) {
    const answer = await fetch(hlsUrl).catch((error: unknown) => String(error));
    if (typeof answer !== 'string') {
      await answer.body?.cancel();
      if (answer.ok) return;
      last = String(answer.status);
    } else last = answer;
    await sleep(50);
  }
  throw new Error(`${hlsUrl}: expected a playlist within 20 s, got ${last}; the encoder said: ${log()}`);
}
