/** What a server has to live through. Each scenario throws, or returns what it found wrong. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { untilPlayable } from '../bench/live/latency.ts';
import { mediaPlaylistsOf } from '../bench/live/media-position.ts';
import { recording, startPublishers } from '../bench/live/publishers.ts';
import { decodeWithFfmpeg } from '../interop/players.ts';
import { startChild } from '../rig/child.ts';
import type { StandaloneServer } from '../rig/standalone-server.ts';
import { mutate, seededRandom } from './mutation.ts';
import { recordPublish } from './recorded-publish.ts';
import { describe, untilBaseline, vitalsOf } from './vitals.ts';

export interface SoakPlan {
  readonly server: StandaloneServer;
  readonly durationMs: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

/** Publishers and a decoding viewer for the whole time; memory may not climb once it has settled. */
export async function steady({ server, durationMs, say }: SoakPlan): Promise<readonly string[]> {
  const baseline = await vitalsOf(server);
  const wrong: string[] = [];
  {
    const streams = [];
    for (let index = 0; index < 5; index++) streams.push(await server.api.createStream(`steady ${index}`));
    const urls = streams.map((stream) => `${server.rtmpUrl}/${stream.key}`);
    await using publishers = startPublishers(await recording(), urls);
    const watched = streams[0]?.hlsUrl ?? '';
    await untilPlayable(watched, () => '');
    const memory: number[] = [];
    const endAt = performance.now() + durationMs;
    while (performance.now() < endAt) {
      const decoded = await decodeWithFfmpeg(watched, Math.min(20, durationMs / 3000));
      if (!decoded.ok) wrong.push(`the viewer: ${decoded.detail}`);
      publishers.assertAllRunning();
      const vitals = await vitalsOf(server);
      memory.push(vitals.rssMb);
      say(`steady: ${describe(vitals)}`);
    }
    const settled = memory.slice(Math.floor(memory.length / 3));
    const growth = (settled.at(-1) ?? 0) - (settled[0] ?? 0);
    if (growth > 60)
      wrong.push(`memory grew by ${growth.toFixed(0)} MB after it had settled: ${memory.map(Math.round).join(' ')}`);
  }
  const { above } = await untilBaseline(server, baseline, 60_000);
  return [...wrong, ...above];
}

/** Publishers that vanish and return, some of them twice at once; at the end everybody can publish again. */
export async function storm({ server, durationMs, seed, say }: SoakPlan): Promise<readonly string[]> {
  const baseline = await vitalsOf(server);
  const random = seededRandom(seed);
  const file = await recording();
  const streams = [];
  for (let index = 0; index < 10; index++) streams.push(await server.api.createStream(`storm ${index}`));
  const endAt = performance.now() + durationMs;
  let connections = 0;
  const publish = async (key: string) => {
    while (performance.now() < endAt) {
      const args = ['-hide_banner', '-loglevel', 'quiet', '-nostdin', '-re', '-i', file, '-c', 'copy', '-f', 'flv'];
      const child = startChild('ffmpeg', [...args, `${server.rtmpUrl}/${key}`]);
      connections++;
      await sleep(300 + random() * 3_000);
      // No goodbye: the network is gone.
      child.process.kill('SIGKILL');
      await child.ended;
    }
  };
  // Three of the keys have two encoders that keep taking over from each other.
  await Promise.all([...streams, ...streams.slice(0, 3)].map(({ key }) => publish(key)));
  const { vitals, above } = await untilBaseline(server, baseline, 90_000);
  say(`storm: ${connections} connections; ${describe(vitals)}`);
  const survivor = streams[0];
  if (!survivor) return above;
  await using _publisher = startPublishers(file, [`${server.rtmpUrl}/${survivor.key}`]);
  await untilPlayable(survivor.hlsUrl, () => '');
  await untilContinuous(survivor.hlsUrl);
  const decoded = await decodeWithFfmpeg(survivor.hlsUrl, 5);
  return decoded.ok ? above : [...above, `after the storm: ${decoded.detail}`];
}

/** Waits until five segments follow the last discontinuity: ffmpeg starts three from the end and does not reset its clock. */
async function untilContinuous(hlsUrl: string): Promise<void> {
  const media = mediaPlaylistsOf(await (await fetch(hlsUrl)).text(), hlsUrl)[0] ?? hlsUrl;
  for (let waited = 0; waited < 40_000; waited += 500) {
    const playlist = await (await fetch(media)).text();
    const since = playlist.slice(playlist.lastIndexOf('#EXT-X-DISCONTINUITY\n') + 1);
    if ([...since.matchAll(/^#EXTINF:/gm)].length >= 5) return;
    await sleep(500);
  }
  throw new Error(`${media}: expected five segments without a discontinuity within 40 s`);
}

/** Broken RTMP by the thousand beside one honest publisher, whose viewers may not notice. */
export async function fuzz({ server, durationMs, seed, say }: SoakPlan): Promise<readonly string[]> {
  const baseline = await vitalsOf(server);
  const random = seededRandom(seed);
  const file = await recording();
  const honest = await server.api.createStream('honest');
  const target = await server.api.createStream('target');
  const bytes = await recordPublish(file, server.rtmpUrl, target.key, 400_000);
  const wrong: string[] = [];
  let attacks = 0;
  {
    await using publishers = startPublishers(file, [`${server.rtmpUrl}/${honest.key}`]);
    await untilPlayable(honest.hlsUrl, () => '');
    await sleep(3_000);
    const endAt = performance.now() + durationMs;
    const attack = async () => {
      while (performance.now() < endAt) {
        await replay(server.rtmpUrl, mutate(bytes, random), random);
        attacks++;
      }
    };
    const watching = decodeWithFfmpeg(honest.hlsUrl, Math.max(5, durationMs / 1000 - 10));
    await Promise.all([attack(), attack(), attack(), attack()]);
    const decoded = await watching;
    if (!decoded.ok) wrong.push(`the honest publisher's viewer: ${decoded.detail}`);
    publishers.assertAllRunning();
  }
  const { vitals, above } = await untilBaseline(server, baseline, 90_000);
  say(`fuzz: ${attacks} broken publishes with seed ${seed}; ${describe(vitals)}`);
  if (vitals.rssMb > baseline.rssMb + 200)
    wrong.push(`memory: ${vitals.rssMb.toFixed(0)} MB, ${baseline.rssMb.toFixed(0)} before`);
  return [...wrong, ...above];
}

/** Sends bytes in random pieces and closes, or waits to be closed for at most 2 s. */
async function replay(rtmpUrl: string, bytes: Buffer, random: () => number): Promise<void> {
  const { hostname, port } = new URL(rtmpUrl);
  const socket: Socket = connect(Number(port), hostname);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  socket.resume();
  for (let at = 0; at < bytes.length && !socket.destroyed; ) {
    const size = 1 + Math.floor(random() ** 2 * 30_000);
    if (!socket.write(bytes.subarray(at, at + size))) {
      await Promise.race([closed, new Promise((resolve) => socket.once('drain', resolve)), sleep(2_000)]);
    }
    at += size;
  }
  if (random() < 0.5) socket.destroy();
  await Promise.race([closed, sleep(2_000)]);
  socket.destroy();
  await closed;
}
