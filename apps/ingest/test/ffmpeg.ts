/** Real ffmpeg as a publisher. */
import { type ChildProcess, spawn } from 'node:child_process';

export interface FfmpegPublisher extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly output: () => string;
  readonly exited: Promise<number | null>;
}

const source = [
  ...['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25'],
  ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'],
];
const encode = [
  ...[
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-tune',
    'zerolatency',
    '-g',
    '25',
    '-b:v',
    '300k',
    '-pix_fmt',
    'yuv420p',
  ],
  ...['-c:a', 'aac', '-b:a', '96k', '-threads', '1'],
];

/** Publishes a test picture and tone to `url`, in real time unless `seconds` of it are wanted at full speed. */
export function publishWithFfmpeg(
  url: string,
  given: { readonly seconds?: number; readonly extra?: readonly string[] } = {},
): FfmpegPublisher {
  const pace = given.seconds === undefined ? ['-re'] : [];
  const length = given.seconds === undefined ? [] : ['-t', String(given.seconds)];
  const args = [
    '-hide_banner',
    '-loglevel',
    'info',
    '-nostdin',
    ...pace,
    ...source,
    ...length,
    ...encode,
    ...(given.extra ?? []),
    '-f',
    'flv',
    url,
  ];
  const child = spawn('ffmpeg', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    output = (output + bytes.toString()).slice(-20_000);
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return {
    process: child,
    output: () => output,
    exited,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
