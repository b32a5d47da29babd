/** Encoders by other people, each with the command that publishes a test picture. */
import { startChild } from '../rig/child.ts';
import { startObs } from './obs.ts';

export interface Encoder {
  readonly name: string;
  /** What the row shows: which codecs and which RTMP client. */
  readonly sends: string;
  readonly program: string;
  /** Prints the version. */
  readonly version: readonly string[];
  /** Debian packages. */
  readonly packages: readonly string[];
  start(server: string, key: string): Promise<AsyncDisposable & { log(): string }>;
}

const gstPackages = ['base', 'good', 'bad', 'ugly'].map((set) => `gstreamer1.0-plugins-${set}`);
const gst = {
  program: 'gst-launch-1.0',
  version: ['gst-launch-1.0', '--version'],
  packages: ['gstreamer1.0-tools', 'gstreamer1.0-libav', ...gstPackages],
} as const;

/** A GStreamer pipeline of x264 and AAC into an RTMP sink. */
function gstreamer(sink: readonly string[]) {
  const caps = 'video/x-raw,format=I420,width=640,height=360,framerate=30/1';
  const audio = 'audio/x-raw,rate=48000,channels=2';
  return Promise.resolve(
    startChild('gst-launch-1.0', [
      ...['-e', 'flvmux', 'name=mux', 'streamable=true', '!', ...sink],
      ...[
        'videotestsrc',
        'is-live=true',
        '!',
        caps,
        '!',
        'x264enc',
        'tune=zerolatency',
        'key-int-max=60',
        'bitrate=1500',
        '!',
      ],
      ...['h264parse', '!', 'queue', '!', 'mux.video'],
      ...['audiotestsrc', 'is-live=true', '!', audio, '!', 'audioconvert', '!', 'avenc_aac', 'bitrate=128000', '!'],
      ...['aacparse', '!', 'queue', '!', 'mux.audio'],
    ]),
  );
}

function ffmpeg(output: readonly string[]) {
  return Promise.resolve(
    startChild('ffmpeg', [
      ...[
        '-hide_banner',
        '-loglevel',
        'warning',
        '-nostdin',
        '-re',
        '-f',
        'lavfi',
        '-i',
        'testsrc2=size=640x360:rate=30',
      ],
      ...[
        '-re',
        '-f',
        'lavfi',
        '-i',
        'sine=frequency=440:sample_rate=48000',
        '-g',
        '60',
        '-pix_fmt',
        'yuv420p',
        ...output,
      ],
    ]),
  );
}

const ff = { program: 'ffmpeg', version: ['ffmpeg', '-version'], packages: ['ffmpeg'] } as const;

export const encoders: readonly Encoder[] = [
  {
    name: 'OBS Studio',
    sends: 'x264, keyframe interval 2 s, AAC',
    program: 'obs',
    version: ['obs', '--version'],
    packages: ['obs-studio', 'xvfb', 'libgl1-mesa-dri'],
    start: startObs,
  },
  {
    name: 'ffmpeg',
    sends: 'x264 zerolatency, AAC',
    ...ff,
    start: (server, key) =>
      ffmpeg([
        '-c:v',
        'libx264',
        '-preset',
        'veryfast',
        '-tune',
        'zerolatency',
        '-c:a',
        'aac',
        '-f',
        'flv',
        `${server}/${key}`,
      ]),
  },
  {
    name: 'ffmpeg',
    sends: 'x264 with B-frames, AAC',
    ...ff,
    start: (server, key) =>
      ffmpeg(['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '3', '-c:a', 'aac', '-f', 'flv', `${server}/${key}`]),
  },
  {
    name: 'ffmpeg',
    sends: 'video only',
    ...ff,
    start: (server, key) =>
      ffmpeg([
        '-an',
        '-c:v',
        'libx264',
        '-preset',
        'veryfast',
        '-tune',
        'zerolatency',
        '-f',
        'flv',
        `${server}/${key}`,
      ]),
  },
  {
    name: 'ffmpeg',
    sends: 'sound only',
    ...ff,
    start: (server, key) => ffmpeg(['-vn', '-c:a', 'aac', '-f', 'flv', `${server}/${key}`]),
  },
  {
    name: 'GStreamer rtmp2sink',
    sends: 'x264, AAC',
    ...gst,
    start: (server, key) => gstreamer(['rtmp2sink', `location=${server}/${key}`]),
  },
  {
    name: 'GStreamer rtmpsink (librtmp)',
    sends: 'x264, AAC',
    ...gst,
    start: (server, key) => gstreamer(['rtmpsink', `location=${server}/${key} live=1`]),
  },
];
