/** A processed video as delivery gives it: HLS with a rendition of subtitles, and a poster. Encoded once, six seconds long. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const types: Readonly<Record<string, string>> = {
  m3u8: 'application/vnd.apple.mpegurl',
  vtt: 'text/vtt',
  m4s: 'video/mp4',
  mp4: 'video/mp4',
  jpg: 'image/jpeg',
  json: 'application/json',
};

/** Writes everything below `dir/vod`. */
export async function encodeVod(dir: string): Promise<void> {
  const root = join(dir, 'vod');
  await mkdir(join(root, 'video'), { recursive: true });
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=15', '-f', 'lavfi', '-i', 'sine=frequency=440'];
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '30', '-c:a', 'aac'];
  const hls = ['-f', 'hls', '-hls_time', '2', '-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4'];
  const options = { cwd: join(root, 'video'), timeout: 60_000 };
  await run('ffmpeg', ['-v', 'error', ...source, '-t', '6', ...codecs, ...hls, 'index.m3u8'], options);
  await run('ffmpeg', ['-v', 'error', '-i', 'index.m3u8', '-frames:v', '1', '../poster.jpg'], options);
  const tiles = ['-vf', 'fps=1,scale=160:90,tile=5x5', '-frames:v', '1', '-update', '1', '../storyboard-0.jpg'];
  await run('ffmpeg', ['-v', 'error', '-i', 'index.m3u8', ...tiles], options);
  await writeFile(join(root, 'storyboard.vtt'), storyboard);
  await writeFile(join(root, 'about.json'), JSON.stringify({ title: 'Holiday', duration_ms: 6_000, playable: true }));
  await writeFile(join(root, 'index.m3u8'), multivariant);
  await writeFile(join(root, 'subtitles.m3u8'), subtitles);
  await writeFile(join(root, 'subtitles.vtt'), 'WEBVTT\n\n00:00.000 --> 00:06.000\nHello from the mill\n');
}

/** Answers a path below `/vod/{playbackId}[/{token}]/`; undefined: 404. */
export async function vodFile(dir: string, path: string): Promise<{ type: string; body: Buffer } | undefined> {
  if (!/^(video\/)?[a-z]+(-?\d+)?\.[a-z0-9]+$/.test(path)) return undefined;
  const body = await readFile(join(dir, 'vod', path)).catch(() => undefined);
  return body && { type: types[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream', body };
}

const storyboard = `WEBVTT\n\n${[0, 1, 2, 3, 4, 5]
  .map(
    (s) => `00:00:0${s}.000 --> 00:00:0${s + 1}.000\nstoryboard-0.jpg#xywh=${(s % 5) * 160},${s > 4 ? 90 : 0},160,90\n`,
  )
  .join('\n')}`;

const multivariant = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="English",LANGUAGE="en",AUTOSELECT=YES,DEFAULT=NO,URI="subtitles.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS="avc1.42c00d,mp4a.40.2",RESOLUTION=320x180,FRAME-RATE=15,SUBTITLES="subtitles"
video/index.m3u8
`;
const subtitles = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:6
#EXT-X-PLAYLIST-TYPE:VOD
#EXTINF:6.0,
subtitles.vtt
#EXT-X-ENDLIST
`;
