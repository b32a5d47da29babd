/**
 * kill -9 of one process of a cluster in the middle of a broadcast with viewers. What publishers and viewers did is compared
 * with the facts in Kafka: each broadcast begun and ended, each session joined, nobody who was not there.
 */
import { audienceTopic, instancesTopic, liveStreamsTopic, viewerSessionsTopic } from '@millrace/events';
import type { ClusterTarget } from './cluster-target.ts';
import { eventually } from './eventually.ts';
import { readFacts } from './fact-reader.ts';
import { pushWithFfmpeg } from './publishers.ts';
import type { RestClient } from './rest-client.ts';
import { type SteadyViewer, watchSteadily } from './steady-viewer.ts';

export interface KillReport {
  readonly victim: string;
  /** From the kill until every process was ready again, ms. */
  readonly recoveredMs: number;
  /** From the kill until the broadcast could be watched again, ms. */
  readonly playableMs: number;
  readonly sessions: number;
  /** What is missing or too much in the facts; empty when nothing was lost. */
  readonly mistakes: readonly string[];
}

const viewers = 6;

/** Runs one broadcast of its own around the kill. */
export async function survivesKillOf(cluster: ClusterTarget, api: RestClient, victim: string): Promise<KillReport> {
  const { processes } = cluster;
  const stream = await api.createStream(`Without ${victim}`);
  const hlsUrl = cluster.hlsUrl(stream);
  const push = () => pushWithFfmpeg({ url: cluster.publishUrl(stream), video: { size: '320x180', fps: 30, gopS: 1 } });
  const playable = async () => (await fetch(hlsUrl).catch(() => undefined))?.ok === true;
  const watching: SteadyViewer[] = [];
  let encoder = push();
  let published = 1;
  try {
    const publishes = async () => {
      // A key is refused until it has reached ingest; after a crash of control that takes longer.
      if (!encoder.running) encoder = push();
      return playable();
    };
    await eventually(publishes, 'the broadcast can be watched', 30_000);
    for (let i = 0; i < viewers / 2; i++) watching.push(await watchSteadily(hlsUrl));
    await eventually(() => watching.every(({ answers }) => answers() > 2), 'the viewers watch');

    const killedAt = performance.now();
    const restarts = await restartsOf(cluster, victim);
    await processes.kill(victim);
    await eventually(async () => (await restartsOf(cluster, victim)) > restarts, `${victim} is back`, 60_000);
    await eventually(
      async () => (await processes.rows()).every(({ ready }) => ready),
      'every process is ready',
      60_000,
    );
    const recoveredMs = performance.now() - killedAt;
    if (!encoder.running) {
      // As an encoder does that lost its connection.
      await encoder[Symbol.asyncDispose]();
      encoder = push();
      published++;
    }
    await eventually(playable, 'the broadcast can be watched again', 30_000);
    const playableMs = performance.now() - killedAt;
    for (let i = 0; i < viewers / 2; i++) watching.push(await watchSteadily(hlsUrl));
    const before = watching.map(({ answers }) => answers());
    await eventually(() => watching.every(({ answers }, i) => answers() > (before[i] ?? 0) + 2), 'all watch', 15_000);
    // Who was counted by a delivery that died is claimed by another first (docs/decisions/0055).
    const all = () => counted(cluster, stream.id).then((count) => count === watching.length);
    await eventually(all, 'all are counted', 45_000);

    await encoder.stop('SIGTERM');
    for (const viewer of watching) await viewer[Symbol.asyncDispose]();
    const expected = new Set(watching.map(({ sessionId }) => sessionId));
    let mistakes: readonly string[] = [];
    const complete = async () => {
      // A broker that is just back may refuse a read: that is asked again, and only the last answer counts.
      mistakes = await factMistakes(cluster, stream.id, published, expected).catch((error: unknown) => [String(error)]);
      return mistakes.length === 0;
    };
    await eventually(complete, 'every fact is in the log', 30_000).catch(() => undefined);
    return { victim, recoveredMs, playableMs, sessions: expected.size, mistakes };
  } finally {
    for (const viewer of watching) await viewer[Symbol.asyncDispose]();
    await encoder[Symbol.asyncDispose]();
  }
}

async function restartsOf({ processes }: ClusterTarget, name: string): Promise<number> {
  const row = (await processes.rows()).find((each) => each.name === name);
  return row === undefined || row.pid === 0 ? -1 : row.restarts;
}

/** Viewers by the last word of every delivery that has not begun anew since. */
async function counted({ processes }: ClusterTarget, streamId: string): Promise<number> {
  const last = new Map<string, { readonly viewers: number; readonly incarnation: number }>();
  const incarnations = new Map<string, number>();
  for (const { value } of await readFacts(processes.kafkaBrokers, audienceTopic).catch(() => [])) {
    if (value?.stream_id === streamId) last.set(value.instance_id, value);
  }
  for (const { value } of await readFacts(processes.kafkaBrokers, instancesTopic).catch(() => [])) {
    if (value !== undefined) incarnations.set(value.instance_id, value.incarnation);
  }
  return [...last].reduce((sum, [id, { viewers, incarnation }]) => {
    return incarnations.get(id) === incarnation ? sum + viewers : sum;
  }, 0);
}

/** Compares the log with what was done. */
async function factMistakes(
  { processes }: ClusterTarget,
  streamId: string,
  published: number,
  sessions: ReadonlySet<string>,
): Promise<readonly string[]> {
  const brokers = processes.kafkaBrokers;
  const live = (await readFacts(brokers, liveStreamsTopic)).flatMap(({ value }) =>
    value?.stream_id === streamId ? [value] : [],
  );
  const viewing = (await readFacts(brokers, viewerSessionsTopic)).flatMap(({ value }) =>
    value?.stream_id === streamId ? [value] : [],
  );
  const begun = live.filter(({ type }) => type === 'StreamPublished' || type === 'StreamResumed').length;
  const publishedAt = live.flatMap((fact) => (fact.type === 'StreamPublished' ? [fact.epoch] : []));
  // A broadcast whose ingest died, and that came back before that was noticed, is replaced by the next epoch.
  const newest = Math.max(...publishedAt);
  // One whose worker or origin died has gone on under a higher epoch, and ends under that.
  const ended = live.some((fact) => fact.type === 'StreamEnded' && fact.epoch >= newest);
  const joined = new Set(viewing.flatMap((fact) => (fact.type === 'ViewerJoined' ? [fact.session_id] : [])));
  const left = new Set(viewing.flatMap((fact) => (fact.type === 'ViewerLeft' ? [fact.session_id] : [])));
  return [
    ...(begun === published ? [] : [`expected ${published} accepted publishes in live.streams.v1, got ${begun}`]),
    ...(ended ? [] : [`the broadcast of epoch ${newest} has no end`]),
    ...[...sessions].filter((id) => !joined.has(id)).map((id) => `session ${id} has not joined`),
    ...[...sessions].filter((id) => !left.has(id)).map((id) => `session ${id} has not left`),
    ...[...left].filter((id) => !joined.has(id)).map((id) => `session ${id} left and never joined`),
  ];
}
