/**
 * A live source whose picture shows the wall clock: frames are made here at the moment they are due, stamped with that moment,
 * encoded by ffmpeg and published over RTMP. The stamp is the "glass" at the camera's end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type OwnedChild, startChild } from '../../rig/child.ts';
import { paintBarcode } from './barcode.ts';

export interface ClockSource extends AsyncDisposable {
  readonly encoder: OwnedChild;
  /** Frames that were written late, because the encoder did not take them in time. */
  lateFrames(): number;
}

const [width, height, framesPerSecond] = [640, 360, 30];

/** Starts publishing to `url` with a keyframe every `gopSeconds`; the sound is a tone. */
export function startClockSource(url: string, gopSeconds = 2): ClockSource {
  const gop = String(framesPerSecond * gopSeconds);
  const encoder = startChild(
    'ffmpeg',
    [
      ...['-hide_banner', '-loglevel', 'error', '-nostdin'],
      ...['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${width}x${height}`, '-framerate', String(framesPerSecond)],
      ...['-i', 'pipe:0', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'],
      ...[
        '-map',
        '0:v',
        '-map',
        '1:a',
        '-c:v',
        'libx264',
        '-preset',
        'veryfast',
        '-tune',
        'zerolatency',
        '-threads',
        '1',
      ],
      ...[
        '-g',
        gop,
        '-keyint_min',
        gop,
        '-sc_threshold',
        '0',
        '-b:v',
        '1500k',
        '-maxrate',
        '1500k',
        '-bufsize',
        '1500k',
      ],
      ...['-pix_fmt', 'yuv420p', '-c:a', 'aac', '-b:a', '128k', '-flush_packets', '1', '-f', 'flv', url],
    ],
    { stdin: true },
  );
  const stop = new AbortController();
  let late = 0;
  const done = feed(encoder, stop.signal, () => late++);
  return {
    encoder,
    lateFrames: () => late,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await done;
      await encoder[Symbol.asyncDispose]();
    },
  };
}

/** Writes one frame each 33.3 ms until stopped or the encoder ends. */
async function feed(encoder: OwnedChild, signal: AbortSignal, onLate: () => void): Promise<void> {
  const stdin = encoder.process.stdin;
  if (!stdin) throw new Error('the encoder has no stdin');
  // EPIPE when the encoder ends first; its exit code tells more.
  stdin.on('error', () => {});
  const frame = background();
  const startedAt = performance.now();
  for (let count = 0; !signal.aborted && encoder.process.exitCode === null; count++) {
    const dueMs = startedAt + (count * 1000) / framesPerSecond - performance.now();
    if (dueMs > 1) await sleep(dueMs);
    if (dueMs < -20) onLate();
    // A moving bar keeps the encoder and the decoder at work.
    moveBar(frame, count);
    paintBarcode(frame, width, Date.now());
    if (!stdin.write(Buffer.from(frame))) {
      await Promise.race([new Promise((resolve) => stdin.once('drain', resolve)), encoder.ended]);
    }
  }
  stdin.end();
}

function background(): Uint8Array {
  const frame = new Uint8Array((width * height * 3) / 2).fill(128);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) frame[y * width + x] = 40 + ((x + y) >> 3);
  return frame;
}

function moveBar(frame: Uint8Array, count: number): void {
  for (let y = 200; y < height; y++) {
    for (let x = 0; x < width; x++) frame[y * width + x] = 40 + (((x + count * 6) >> 2) & 0x7f) + (y & 31);
  }
}
