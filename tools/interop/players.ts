/** Players by other people, and how each tells that it really decoded the stream. */
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from '../rig/child.ts';

export interface Watched {
  readonly ok: boolean;
  readonly detail: string;
}

export interface Player {
  readonly name: string;
  readonly program: string;
  readonly version: readonly string[];
  readonly packages: readonly string[];
  /** Plays for some seconds. */
  watch(hlsUrl: string): Promise<Watched>;
}

const playSeconds = 8;

/** Runs a player to its end, at most 40 s. */
async function finish(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  await using player = startChild(command, args, { env });
  const timeout = new AbortController();
  const late = sleep(40_000, 'late' as const, { signal: timeout.signal }).catch(() => 'late' as const);
  const code = await Promise.race([player.ended, late]);
  timeout.abort();
  return { code, log: player.log() };
}

/** ffmpeg 5 feeds the init section again after each reload of any live playlist with EXT-X-MAP, and says so itself. */
const ownRepetition = /Found duplicated MOOV Atom/;

/** Decodes `seconds` of all streams with ffmpeg; a warning counts as a failure. */
export async function decodeWithFfmpeg(hlsUrl: string, seconds: number): Promise<Watched> {
  const args = [
    '-hide_banner',
    '-nostdin',
    '-loglevel',
    'repeat+warning',
    '-stats',
    '-i',
    hlsUrl,
    '-t',
    String(seconds),
  ];
  // Without a rate of its own to force on the frames, ffmpeg has nothing to say about an encoder's uneven rate.
  const asTheyCome = ['-fps_mode', 'passthrough', '-enc_time_base:v', '-1'];
  const { code, log } = await finish('ffmpeg', [...args, '-map', '0', ...asTheyCome, '-f', 'null', '-']);
  const frames = Number(log.split('frame=').at(-1)?.trim().split(/\s/)[0] ?? 0);
  const warnings = log
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== '' && !/^\s*(frame|size)=/.test(line) && !ownRepetition.test(line));
  const first = warnings[0] ? `; it said: ${warnings[0].slice(0, 200)}` : '';
  return {
    ok: code === 0 && warnings.length === 0,
    detail: `${seconds} s decoded${frames > 0 ? `, ${frames} frames` : ''}, ${warnings.length} warnings${first}`,
  };
}

async function watchWithMpv(hlsUrl: string): Promise<Watched> {
  const quiet = [
    '--no-config',
    '--vo=null',
    '--ao=null',
    '--msg-level=all=warn,statusline=status',
    '--term-status-msg=at ${=time-pos} dropped ${decoder-frame-drop-count}\n',
  ];
  const { code, log } = await finish('mpv', [...quiet, `--length=${playSeconds}`, hlsUrl]);
  const positions = [...log.matchAll(/at ([\d.]+) dropped/g)].map((found) => Number(found[1]));
  const played = positions.length > 0 ? Math.max(...positions) - Math.min(...positions) : 0;
  return { ok: code === 0 && played > playSeconds - 2, detail: `${played.toFixed(1)} s played` };
}

/** VLC refuses to run as root; then it runs as nobody. */
async function watchWithVlc(hlsUrl: string): Promise<Watched> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-vlc-'));
  chmodSync(dir, 0o777);
  const args = ['-I', 'dummy', '--no-media-library', '--vout', 'dummy', '--aout', 'dummy', '--video-filter', 'scene'];
  const scene = ['--scene-path', dir, '--scene-prefix', 'frame', '--scene-ratio', '30', '--scene-format', 'png'];
  const rest = ['--run-time', String(playSeconds), '--play-and-exit', hlsUrl, 'vlc://quit'];
  const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', 'vlc'];
  const root = process.getuid?.() === 0;
  const command = [...(root ? asNobody : []), ...args, ...scene, ...rest];
  try {
    const { code } = await finish(root ? 'setpriv' : 'vlc', command, { HOME: dir });
    const pictures = readdirSync(dir).filter((name) => name.endsWith('.png')).length;
    return { ok: code === 0 && pictures >= playSeconds / 2, detail: `${pictures} pictures taken, one each second` };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function watchWithGstreamer(hlsUrl: string): Promise<Watched> {
  const sink = 'fpsdisplaysink text-overlay=false video-sink=fakesink signal-fps-measurements=true';
  await using player = startChild('gst-launch-1.0', [
    ...['-v', 'playbin', `uri=${hlsUrl}`, `video-sink=${sink}`, 'audio-sink=fakesink sync=true'],
  ]);
  const rendered = () => Number([...player.log().matchAll(/rendered: (\d+)/g)].at(-1)?.[1] ?? 0);
  const wanted = 30 * (playSeconds - 2);
  for (let waited = 0; rendered() < wanted && waited < 30_000; waited += 250) await sleep(250);
  return { ok: rendered() >= wanted, detail: `${rendered()} frames shown` };
}

export const players: readonly Player[] = [
  {
    name: 'ffmpeg',
    program: 'ffmpeg',
    version: ['ffmpeg', '-version'],
    packages: ['ffmpeg'],
    watch: (hlsUrl) => decodeWithFfmpeg(hlsUrl, playSeconds),
  },
  { name: 'mpv', program: 'mpv', version: ['mpv', '--version'], packages: ['mpv'], watch: watchWithMpv },
  {
    name: 'VLC',
    program: 'vlc',
    version: ['dpkg-query', '--show', 'vlc-bin'],
    packages: ['vlc'],
    watch: watchWithVlc,
  },
  {
    name: 'GStreamer playbin',
    program: 'gst-launch-1.0',
    version: ['gst-launch-1.0', '--version'],
    packages: ['gstreamer1.0-tools', 'gstreamer1.0-libav', 'gstreamer1.0-plugins-good', 'gstreamer1.0-plugins-bad'],
    watch: watchWithGstreamer,
  },
];
