/** Publishers that send one pre-encoded recording over and over, so that the load is the server's work and not an encoder's. */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { type OwnedChild, startChild } from '../../rig/child.ts';
import { cacheDir } from '../../setup/workspace.mjs';

/** A 60 s recording of 2.5 Mbit/s: 720p30 H.264 with a keyframe each 2 s, AAC 128 kbit/s. Made once and kept in .cache. */
export async function recording(): Promise<string> {
  const file = join(cacheDir, 'bench', 'source-2500k.flv');
  if (existsSync(file)) return file;
  mkdirSync(join(cacheDir, 'bench'), { recursive: true });
  const draft = `${file}.tmp.flv`;
  const rate = [
    '-b:v',
    '2370k',
    '-minrate',
    '2370k',
    '-maxrate',
    '2370k',
    '-bufsize',
    '2370k',
    '-x264-params',
    'nal-hrd=cbr',
  ];
  const encoder = startChild('ffmpeg', [
    ...['-hide_banner', '-loglevel', 'error', '-nostdin', '-y', '-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=30'],
    ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000', '-t', '60'],
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'veryfast',
      '-tune',
      'zerolatency',
      '-g',
      '60',
      '-keyint_min',
      '60',
      '-sc_threshold',
      '0',
    ],
    ...[...rate, '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-b:a', '128k', '-f', 'flv', draft],
  ]);
  const code = await encoder.ended;
  if (code !== 0) throw new Error(`ffmpeg could not make the recording: ${encoder.log()}`);
  renameSync(draft, file);
  return file;
}

/** Publishes `file` in real time to each of the URLs; closing ends all of them. */
export function startPublishers(file: string, urls: readonly string[]): AsyncDisposable & { assertAllRunning(): void } {
  const publishers: OwnedChild[] = urls.map((url) =>
    startChild('ffmpeg', [
      ...['-hide_banner', '-loglevel', 'error', '-nostdin', '-re', '-stream_loop', '-1', '-i', file],
      ...['-c', 'copy', '-f', 'flv', url],
    ]),
  );
  return {
    assertAllRunning: () => {
      const ended = publishers.find((each) => each.process.exitCode !== null);
      if (ended) throw new Error(`a publisher ended with exit code ${ended.process.exitCode}: ${ended.log()}`);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(publishers.map((each) => each[Symbol.asyncDispose]()));
    },
  };
}
