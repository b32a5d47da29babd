/** Mutated recordings of real encoders against the real listener. FUZZ_SECONDS sets how long (default 8). */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publishWithFfmpeg } from './ffmpeg.ts';
import { eventually, openIngest, type TestIngest } from './harness.ts';
import { recordFfmpeg } from './recording.ts';

const seconds = Number(process.env['FUZZ_SECONDS'] ?? 8);
const seed = Number(process.env['FUZZ_SEED'] ?? Math.trunc(Math.random() * 2 ** 31));
let ingest: TestIngest;
let recordings: Uint8Array[];
const problems: unknown[] = [];
const note = (error: unknown) => problems.push(error);
beforeAll(async () => {
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
  ingest = await openIngest({
    discard: true,
    env: {
      INGEST_MAX_CONNECTIONS_PER_ADDRESS: '200',
      INGEST_HANDSHAKE_MS: '1000',
      INGEST_PUBLISH_MS: '1500',
      INGEST_IDLE_MS: '1500',
      INGEST_RECONNECT_WINDOW_MS: '100',
    },
    parked: 64,
  });
  recordings = [];
  for (const extra of [[], ['-an'], ['-vn', '-c:a', 'aac'], ['-c:v', 'flv1', '-c:a', 'libmp3lame', '-ar', '44100']]) {
    recordings.push(await recordFfmpeg(ingest, (await ingest.addStream()).key, { seconds: 1, extra }));
  }
});
afterAll(async () => {
  await ingest[Symbol.asyncDispose]();
  process.off('unhandledRejection', note);
  process.off('uncaughtException', note);
});

describe('the guard under mutated recordings', () => {
  it('neither crashes nor leaks sockets, timers or memory, and a real encoder still publishes', {
    timeout: (seconds + 60) * 1_000,
  }, async () => {
    const random = mulberry(seed);
    const pick = (below: number) => Math.floor(random() * below);
    global.gc?.();
    const rssBefore = process.memoryUsage.rss();
    const until = Date.now() + seconds * 1_000;
    let runs = 0;
    const one = async () => {
      while (Date.now() < until) {
        const bytes = mutate(recordings[pick(recordings.length)] ?? new Uint8Array(), pick);
        await send(ingest.service.rtmpPort, bytes, pick);
        runs++;
      }
    };
    await Promise.all(Array.from({ length: 12 }, one));
    await eventually(() => ingest.service.readiness().ready, 'readiness');
    await eventually(() => connections() === 0, `no connection left (seed ${seed})`, 10_000);
    expect(problems, `seed ${seed}`).toEqual([]);
    expect(runs).toBeGreaterThan(20);
    expect(await ingest.metric('millrace_ingest_buffered_bytes')).toBe(0);
    expect(await ingest.metric('millrace_ingest_open_connections')).toBe(0);
    expect(process.memoryUsage.rss() - rssBefore, `seed ${seed}`).toBeLessThan(200e6);
    const { key } = await ingest.addStream();
    await using encoder = publishWithFfmpeg(`rtmp://127.0.0.1:${ingest.service.rtmpPort}/live/${key}`, { seconds: 1 });
    expect(await encoder.exited, encoder.output()).toBe(0);
  });
});

/** Server sides of RTMP sockets that are open in this process. */
function connections(): number {
  const handles = (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles();
  return handles.filter(
    (h) => h !== null && typeof h === 'object' && 'localPort' in h && h.localPort === ingest.service.rtmpPort,
  ).length;
}

/** Flips, cuts, repeats, swaps and inflates: mostly behind the handshake, sometimes anywhere. */
function mutate(recording: Uint8Array, pick: (below: number) => number): Uint8Array {
  let bytes = Uint8Array.from(recording);
  const from = pick(8) === 0 ? 0 : 3_073;
  const spot = () => Math.min(bytes.length - 1, from + pick(pick(3) === 0 ? bytes.length : 2_000));
  for (let i = 1 + pick(6); i > 0; i--) {
    const at = spot();
    const length = 1 + pick(64);
    switch (pick(7)) {
      case 0:
        bytes[at] = pick(256);
        break;
      case 1:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(8));
        break;
      case 2: // drop
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
        break;
      case 3: // repeat
        bytes = Uint8Array.from([...bytes.subarray(0, at + length), ...bytes.subarray(at)]);
        break;
      case 4: // extremes
        bytes.fill(pick(2) === 0 ? 0 : 0xff, at, at + Math.min(length, 4));
        break;
      case 5: // move
        bytes.copyWithin(at, spot(), spot());
        break;
      default: // cut short
        if (pick(4) === 0) bytes = bytes.subarray(0, at);
    }
  }
  return bytes;
}

/** Sends the bytes as an encoder paces them: waits for the server's answers before the media. */
async function send(port: number, bytes: Uint8Array, pick: (below: number) => number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let closed = false;
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  socket.resume();
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {});
  let at = 0;
  while (at < bytes.length && !closed) {
    const upTo = at < 4_200 ? Math.min(bytes.length, at + 1 + pick(200)) : bytes.length;
    socket.write(bytes.subarray(at, upTo));
    at = upTo;
    await new Promise((resolve) => setTimeout(resolve, at < 4_200 ? pick(2) : 20));
  }
  if (pick(2) === 0) socket.destroy();
  else socket.end();
  const late = setTimeout(() => socket.destroy(), 300);
  if (!closed) await once(socket, 'close').catch(() => {});
  clearTimeout(late);
}

function mulberry(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
