/** Encoders: real ffmpeg processes that push RTMP. */
import { type ChildProgram, startProgram } from './child-program.ts';
import { ClockPainter, type PictureSize } from './clock-picture.ts';

export interface FfmpegPush {
  /** `rtmp://host:port/live/KEY`. */
  readonly url: string;
  /** `bframes` as OBS's x264 makes them, or `none`. */
  readonly video?: { readonly size?: string; readonly fps?: number; readonly gopS?: number; readonly bframes?: number };
  /** False: no audio track. */
  readonly audio?: boolean | { readonly sampleRate: number };
  /** Ends by itself after this long, s. */
  readonly seconds?: number;
}

/** Pushes ffmpeg's test picture and a tone in real time. `video: undefined` with audio is an audio-only stream. */
export function pushWithFfmpeg({ url, video, audio = true, seconds }: FfmpegPush): ChildProgram {
  const { size = '640x360', fps = 30, gopS = 1, bframes = 0 } = video ?? {};
  const sampleRate = typeof audio === 'object' ? audio.sampleRate : 48_000;
  const gop = String(Math.round(fps * gopS));
  return startProgram('ffmpeg', [
    '-hide_banner',
    '-loglevel',
    'warning',
    ...(video ? ['-re', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${fps === 29.97 ? '30000/1001' : fps}`] : []),
    ...(audio ? ['-re', '-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=${sampleRate}`] : []),
    ...(seconds === undefined ? [] : ['-t', String(seconds)]),
    ...(video ? x264(gop, bframes, '800k') : []),
    ...(audio ? ['-c:a', 'aac', '-b:a', '96k', '-ac', '2'] : []),
    '-f',
    'flv',
    url,
  ]);
}

const x264 = (gop: string, bframes: number, bitrate: string) => [
  '-c:v',
  'libx264',
  '-preset',
  'ultrafast',
  ...(bframes > 0 ? ['-bf', String(bframes)] : ['-tune', 'zerolatency', '-bf', '0']),
  '-pix_fmt',
  'yuv420p',
  ...['-g', gop, '-keyint_min', gop, '-sc_threshold', '0', '-b:v', bitrate],
];

/** Pushes frames that show the wall clock of the moment they were painted, with a tone. */
export function pushClock(given: {
  readonly url: string;
  readonly size?: PictureSize;
  readonly fps?: number;
  readonly gopS?: number;
  readonly bitrate?: string;
}): ChildProgram {
  const { size = { width: 640, height: 360 }, fps = 30, gopS = 2, bitrate = '1500k' } = given;
  const program = startProgram(
    'ffmpeg',
    [
      ...['-hide_banner', '-loglevel', 'warning', '-fflags', 'nobuffer', '-thread_queue_size', '64'],
      ...[
        '-f',
        'rawvideo',
        '-pix_fmt',
        'yuv420p',
        '-s',
        `${size.width}x${size.height}`,
        '-r',
        String(fps),
        '-i',
        'pipe:0',
      ],
      ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'],
      ...x264(String(Math.round(fps * gopS)), 0, bitrate),
      ...['-c:a', 'aac', '-b:a', '96k', '-ac', '2', '-flush_packets', '1', '-f', 'flv', given.url],
    ],
    { input: true },
  );
  const painter = new ClockPainter(size);
  const startedMs = performance.now();
  let painted = 0;
  const timer = setInterval(() => {
    const input = program.process.stdin;
    if (input === null || !program.running || input.destroyed) return clearInterval(timer);
    const due = Math.floor(((performance.now() - startedMs) * fps) / 1_000);
    // A frame that the encoder has no room for is painted later, and then shows the later time.
    while (painted <= due && !input.writableNeedDrain) input.write(Buffer.from(painter.paint(Date.now(), painted++)));
  }, 4);
  program.process.once('exit', () => clearInterval(timer));
  return program;
}
