/**
 * How fast long work is accepted: compositions of one owner and runs of many videos, in an open loop, with the worker standing still and with
 * its encoder running on the same machine; far more than can be accepted; and a thousand equal calls at once. What the machine itself
 * can do is measured in the same run.
 */
import { spawnSync } from 'node:child_process';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processTree } from '../../rig/process-usage.ts';
import type { StandaloneServer } from '../../rig/standalone-server.ts';
import { hasEnded, makeVideo, until, uploadVideo } from './media.ts';
import { type LimitResult, measureLimits } from './submit-limits.ts';
import { type LoadResult, type LoadTarget, loadAt, post } from './submit-load.ts';

export interface SubmitRound extends LoadResult {
  readonly what: 'compositions' | 'runs';
  /** `still`: the worker's only slot is taken by a process that is stopped; `encoding`: it encodes. */
  readonly worker: 'still' | 'encoding';
}

export interface SubmitResult {
  readonly limits: LimitResult;
  readonly rounds: readonly SubmitRound[];
  /** Of the 1,000 equal calls: answered 202, answered 409. */
  readonly equalAccepted: number;
  readonly equalRefused: number;
  /** From the first that was sent to the last answer, ms. */
  readonly equalMs: number;
}

/** Requests a second that are far too many. */
const overload = 1_500;
const paces = [50, 300, overload];

/** Submits before the first round, which are not counted: what runs often is compiled meanwhile. With the rounds it stays below the minute after
 * which an encoder that does nothing is given up. */
const warmUp = 3_000;

/** The server has one job slot. `quick`: a few seconds of each. */
export async function measureSubmit(server: StandaloneServer, dir: string, quick: boolean): Promise<SubmitResult> {
  const seconds = quick ? 3 : 10;
  const path = join(dir, 'tiny.mp4');
  makeVideo(path, { seconds: 2, size: '160x90' });
  const inputs = [await uploadVideo(server, path, true), await uploadVideo(server, path, true)];
  for (const id of inputs) await until(server, `/videos/${id}`, hasEnded);
  const runnable = await uploadMany(server, path, 300 * (quick ? 1 : 3));
  const limits = await measureLimits(dir, quick ? 2 : 5);

  const encoded = await uploadVideo(server, makeLong(dir), true);
  await until(server, `/videos/${encoded}`, (video) => video['status'] === 'processing');
  const agent = new Agent({ keepAlive: true, maxSockets: 512 });
  const target = { url: `${server.httpUrl}/api/v1`, token: server.api.token, agent, pid: server.pid };
  const rounds: SubmitRound[] = [];
  const composeAt = async (perSecond: number, requests: number) => {
    const load = await loadAt(target, perSecond, requests, () => ({ path: '/compositions', body: { videos: inputs } }));
    await sleep(1_000); // the followers of its facts come to their end
    return load;
  };
  const compose = async (worker: SubmitRound['worker'], perSecond: number) => {
    const requests = perSecond * (perSecond === overload ? Math.min(seconds, 5) : seconds);
    rounds.push({ what: 'compositions', worker, ...(await composeAt(perSecond, requests)) });
  };
  const frozen = await freezeEncoder(server.pid);
  try {
    await composeAt(300, warmUp);
    for (const perSecond of paces) await compose('still', perSecond);
    const load = await loadAt(target, 300, runnable.length, (n) => ({
      path: `/videos/${runnable[n]}/run_sync`,
      body: {},
    }));
    rounds.push({ what: 'runs', worker: 'still', ...load });
  } finally {
    for (const pid of frozen) process.kill(pid, 'SIGCONT');
  }
  for (const perSecond of paces) await compose('encoding', perSecond);
  const after = await server.api.call('GET', `/videos/${encoded}`);
  if (hasEnded(after)) throw new Error(`expected the encoder to run to the end of the rounds, ${encoded} has ended`);

  const equal = await equalCalls(server, target, path);
  agent.destroy();
  return { limits, rounds, ...equal };
}

/** Ten minutes, which take an encoder longer than the rounds do. */
function makeLong(dir: string): string {
  const [part, path] = [join(dir, 'part.mp4'), join(dir, 'long.mp4')];
  makeVideo(part, { seconds: 10, size: '1280x720' });
  const done = spawnSync('ffmpeg', ['-v', 'error', '-y', '-stream_loop', '59', '-i', part, '-c', 'copy', path]);
  if (done.status !== 0) throw new Error(`ffmpeg: ${done.stderr.toString()}`);
  return path;
}

async function uploadMany(server: StandaloneServer, path: string, count: number): Promise<readonly string[]> {
  const ids: string[] = [];
  const lane = async () => {
    while (ids.length < count) {
      const at = ids.push('') - 1;
      ids[at] = await uploadVideo(server, path, false);
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
  return ids;
}

/** Stops the worker's process, so that its slot is taken and takes nothing of the machine. Gives what is to go on later. */
async function freezeEncoder(server: number): Promise<readonly number[]> {
  const encoders = () => processTree(server).flatMap(({ pid, command }) => (command === 'ffmpeg' ? [pid] : []));
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    const found = encoders();
    for (const pid of found) process.kill(pid, 'SIGSTOP');
    await sleep(200);
    // one that ended just then has another one in its place
    const now = encoders();
    if (found.length > 0 && now.length === found.length && now.every((pid) => found.includes(pid))) return found;
  }
  throw new Error('expected an encoder to run within 30 s');
}

async function equalCalls(server: StandaloneServer, target: LoadTarget, path: string) {
  const id = await uploadVideo(server, path, false);
  const startedAt = performance.now();
  const statuses = await Promise.all(Array.from({ length: 1_000 }, () => post(target, `/videos/${id}/run_sync`, {})));
  return {
    equalAccepted: statuses.filter((status) => status === 202).length,
    equalRefused: statuses.filter((status) => status === 409).length,
    equalMs: performance.now() - startedAt,
  };
}

/** Rows of the report. */
export function submitRows({ limits, rounds, ...equal }: SubmitResult): readonly (readonly [string, string])[] {
  const ms = (value: number) =>
    Number.isNaN(value) ? 'none' : value < 9.5 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
  const cores = (value: number) => value.toFixed(2);
  return [
    [
      'the machine: durable commits of one row',
      `${Math.round(limits.commitsAlonePerS)}/s by one client, ${Math.round(limits.commitsPerS)}/s by 20 at once`,
    ],
    ['the machine: POST echo of node:http', `${Math.round(limits.echoPerS)}/s; p99 at 300/s ${ms(limits.echoP99Ms)}`],
    ...rounds.map((round): [string, string] => {
      const shed = round.statuses['503'] ?? 0;
      const accepted = round.statuses['202'] ?? 0;
      const turnedAway = shed === 0 ? '' : `; ${shed} turned away with 503, p99 ${ms(round.shedP99Ms)}`;
      return [
        `202 of ${round.what} at ${round.perSecond}/s, ${round.worker === 'still' ? 'no encoder' : 'an encoder runs'}`,
        `p50 ${ms(round.p50Ms)}, p99 ${ms(round.p99Ms)}, slowest ${ms(round.slowestMs)}; ${accepted} of ${round.requests} accepted, ${Math.round(round.acceptedPerS)}/s${turnedAway}; cores: server ${cores(round.serverCores)}, PostgreSQL ${cores(round.postgresCores)}, client ${cores(round.clientCores)}`,
      ];
    }),
    [
      '1,000 equal calls at once',
      `${equal.equalAccepted} accepted, ${equal.equalRefused} refused with 409, all within ${ms(equal.equalMs)}`,
    ],
  ];
}
