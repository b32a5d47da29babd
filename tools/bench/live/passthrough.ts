/** CPU and memory of servers that are published to and watched by nobody. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Usage, usageDuring } from '../../rig/process-usage.ts';
import { type StandaloneServer, startStandalone } from '../../rig/standalone-server.ts';
import { nginxRtmpIsInstalled, startNginxRtmp } from './nginx-rtmp.ts';
import { recording, startPublishers } from './publishers.ts';

export interface PassthroughResult {
  readonly publishers: number;
  readonly server: Usage;
  readonly postgres: Usage;
  /** Undefined when nginx's RTMP module is not installed. */
  readonly nginx: Usage | undefined;
}

export interface PassthroughPlan {
  readonly counts: readonly number[];
  readonly settleMs: number;
  readonly measureMs: number;
}

/** Each number of publishers first on nginx, then on a fresh standalone, in the same run. */
export async function measurePassthrough(
  plan: PassthroughPlan,
  say: (line: string) => void,
): Promise<readonly PassthroughResult[]> {
  const file = await recording();
  const results: PassthroughResult[] = [];
  for (const count of plan.counts) {
    let nginx: Usage | undefined;
    if (nginxRtmpIsInstalled()) {
      await using peer = await startNginxRtmp();
      const urls = Array.from({ length: count }, (_, index) => `${peer.rtmpUrl}/s${index}`);
      nginx = (await measure(peer.pid, file, urls, plan)).server;
    }
    await using server = await startStandalone({ LOG_LEVEL: 'warn' });
    const { server: own, postgres } = await measure(server.pid, file, await publishUrls(server, count), plan);
    results.push({ publishers: count, server: own, postgres, nginx });
    const percent = (usage: Usage | undefined) =>
      usage ? `${(usage.cores * 100).toFixed(1)} % of a core` : 'not measured';
    say(
      `${count} publishers: standalone ${percent(own)}, its PostgreSQL ${percent(postgres)}, nginx-rtmp ${percent(nginx)}`,
    );
  }
  return results;
}

async function publishUrls(server: StandaloneServer, count: number): Promise<readonly string[]> {
  const urls: string[] = [];
  for (let index = 0; index < count; index++) {
    const stream = await server.api.createStream(`publisher ${index}`);
    urls.push(`${server.rtmpUrl}/${stream.key}`);
  }
  return urls;
}

async function measure(pid: number, file: string, urls: readonly string[], plan: PassthroughPlan) {
  await using publishers = startPublishers(file, urls);
  await sleep(plan.settleMs);
  publishers.assertAllRunning();
  const usage = await usageDuring(pid, () => sleep(plan.measureMs));
  publishers.assertAllRunning();
  return usage;
}
