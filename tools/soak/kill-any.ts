/** kill -9 of every process of a cluster, one after the other, each in the middle of a broadcast with viewers. */
import { startClusterTarget } from '../../apps/e2e/src/cluster-target.ts';
import { survivesKillOf } from '../../apps/e2e/src/kill-survival.ts';

/** What was lost, by victim; empty when nothing was. `only`: names of those to kill. */
export async function killAny(say: (line: string) => void, only: readonly string[] = []): Promise<readonly string[]> {
  const wrong: string[] = [];
  await using cluster = await startClusterTarget({ settings: { INGEST_RECONNECT_WINDOW_MS: '3000' } });
  const api = await cluster.signIn();
  const unknown = only.filter((name) => !cluster.processes.names.includes(name));
  if (unknown.length > 0) wrong.push(`nobody is called ${unknown.join(', ')}: ${cluster.processes.names.join(', ')}`);
  const victims = cluster.processes.names.filter((name) => only.length === 0 || only.includes(name));
  for (const victim of victims) {
    try {
      const { recoveredMs, playableMs, sessions, mistakes } = await survivesKillOf(cluster, api, victim);
      const [ready, playable] = [recoveredMs, playableMs].map((ms) => (ms / 1000).toFixed(1));
      say(`kill-any: ${victim}: all ready after ${ready} s, playable after ${playable} s, ${sessions} sessions`);
      wrong.push(...mistakes.map((mistake) => `${victim}: ${mistake}`));
    } catch (error) {
      wrong.push(`${victim}: ${String(error)}\n${cluster.processes.tail(victim).slice(-1_000)}`);
    }
  }
  return wrong;
}
