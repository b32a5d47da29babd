/**
 * A live HLS stream whose life the test decides: ffmpeg encodes 24 one-second segments once, and the playlist slides over
 * them by the clock. No parts: what the player does with parts is tested against the real delivery service.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const segmentCount = 24;
const windowLength = 6;

/** Encodes the segments into `dir`: H.264 640x360 at 30 fps and AAC, in fragmented MP4. */
export async function encodeSegments(dir: string): Promise<void> {
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=30', '-f', 'lavfi', '-i', 'sine=frequency=440'];
  const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '30', '-sc_threshold', '0'];
  const hls = ['-f', 'hls', '-hls_time', '1', '-hls_list_size', '0', '-hls_segment_type', 'fmp4'];
  await promisify(execFile)(
    'ffmpeg',
    ['-v', 'error', ...source, '-t', String(segmentCount), ...video, '-c:a', 'aac', ...hls, 'index.m3u8'],
    { cwd: dir, timeout: 60_000 },
  );
}

export class FakeLive {
  readonly #dir: string;
  /** How often any playlist was asked for. */
  playlistsAsked = 0;
  #startedAtMs: number | undefined;
  #endedAtMs: number | undefined;
  #firstNumber = 0;
  #broadcasts = 0;
  /** The next so many requests for playlists fail with 500. */
  failPlaylists = 0;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Goes live as a stream that has been running for `forS` seconds, at least a full window. */
  start(forS = windowLength): void {
    if (this.#startedAtMs !== undefined) this.#firstNumber += 100;
    this.#broadcasts += 1;
    this.#startedAtMs = Date.now() - forS * 1000;
    this.#endedAtMs = undefined;
  }

  end(): void {
    this.#endedAtMs = Date.now();
  }

  /** Answers a path below `/live/{playbackId}/`; undefined: 404. */
  async answer(path: string): Promise<{ readonly type: string; readonly body: Buffer | string } | 'fail' | undefined> {
    if (path.endsWith('.m3u8')) this.playlistsAsked += 1;
    if (this.#startedAtMs === undefined) return undefined;
    if (path.endsWith('.m3u8') && this.failPlaylists > 0) {
      this.failPlaylists -= 1;
      return 'fail';
    }
    const type = 'application/vnd.apple.mpegurl';
    if (path === 'index.m3u8') return { type, body: multivariant };
    if (path === 's/ses_fake/video/index.m3u8') return { type, body: this.#mediaPlaylist(this.#startedAtMs) };
    const name = /^video\/(init\.mp4|index\d+\.m4s)$/.exec(path)?.[1];
    return name === undefined ? undefined : { type: 'video/mp4', body: await readFile(join(this.#dir, name)) };
  }

  #mediaPlaylist(startedAtMs: number): string {
    const made = Math.floor(((this.#endedAtMs ?? Date.now()) - startedAtMs) / 1000);
    const first = Math.max(0, made - windowLength);
    const lines = [
      '#EXTM3U',
      '#EXT-X-VERSION:7',
      '#EXT-X-TARGETDURATION:1',
      `#EXT-X-MEDIA-SEQUENCE:${this.#firstNumber + first}`,
      `#EXT-X-DISCONTINUITY-SEQUENCE:${Math.floor(first / segmentCount) + this.#broadcasts * 10}`,
      '#EXT-X-MAP:URI="../../../video/init.mp4"',
    ];
    for (let n = first; n < made; n++) {
      // The segments begin again after the last: timestamps jump back, as after a re-connect.
      if (n % segmentCount === 0 && n > first)
        lines.push('#EXT-X-DISCONTINUITY', '#EXT-X-MAP:URI="../../../video/init.mp4"');
      const at = new Date(startedAtMs + n * 1000).toISOString();
      lines.push(`#EXT-X-PROGRAM-DATE-TIME:${at}`, '#EXTINF:1.000,', `../../../video/index${n % segmentCount}.m4s`);
    }
    if (this.#endedAtMs !== undefined) lines.push('#EXT-X-ENDLIST');
    return `${lines.join('\n')}\n`;
  }
}

const multivariant = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=1500000,CODECS="avc1.42c01e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=30
s/ses_fake/video/index.m3u8
`;
