import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlvReader } from '@millrace/flv';
import { expectOk } from '@millrace/result';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeRenditions, readAudioTrack, readVideoTrack } from './core/track-formats.ts';
import { packageAll } from './testing.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-transcode-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Five seconds of ffmpeg's test picture and a tone, as FLV, through the packager. */
function packaged(name: string, coding: readonly string[], audioRate = 48_000) {
  const file = join(folder, `${name}.flv`);
  const source = [
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=320x180:rate=30',
    '-f',
    'lavfi',
    '-i',
    `sine=sample_rate=${audioRate}`,
  ];
  const encode = ['-t', '5', '-c:v', 'libx264', '-preset', 'ultrafast', ...coding, '-c:a', 'aac', '-f', 'flv', file];
  execFileSync('ffmpeg', ['-v', 'error', ...source, ...encode]);
  const tags = expectOk(new FlvReader().feed(readFileSync(file)), 'flv');
  return { file, tags, run: packageAll(tags) };
}

describe('a real encoder’s stream', () => {
  it.each([
    ['without B-frames', ['-bf', '0', '-g', '60'], 48_000],
    ['with B-frames', ['-bf', '3', '-g', '60'], 44_100],
    ['with open GOPs of 8 s', ['-bf', '2', '-g', '240'], 48_000],
  ] as const)(
    '%s is decoded from our parts by ffmpeg: every frame, at its time, without a warning',
    (name, coding, rate) => {
      const { file, tags, run } = packaged(name.replaceAll(' ', '-'), coding, rate);
      const avc = tags.find((tag) => tag.kind === 'video-config')!;
      const aac = tags.find((tag) => tag.kind === 'audio-config')!;
      const video = expectOk(readVideoTrack(avc), 'avc');
      const audio = expectOk(readAudioTrack(aac), 'aac');
      expect(run.discontinuities).toEqual([]);
      for (const spec of describeRenditions({ video, audio }, 0)) {
        const out = join(folder, `${name.replaceAll(' ', '-')}-${spec.name}.mp4`);
        const parts = run.parts.filter((part) => part.rendition === spec.name);
        writeFileSync(out, Buffer.concat([spec.init, ...parts.flatMap((part) => part.bytes)]));
        const log = execFileSync('sh', ['-c', `ffmpeg -v warning -xerror -i "${out}" -f null - 2>&1`]).toString();
        expect(log).toBe('');
        const packets = (path: string, stream: string) =>
          execFileSync('ffprobe', [
            ...['-v', 'error', '-select_streams', stream],
            ...['-show_entries', 'packet=pts_time,size,flags', '-of', 'csv=p=0', path],
          ])
            .toString()
            .trim()
            .split('\n')
            .map((line) => line.split(','));
        // Audio in front of the first keyframe is not packaged.
        const skipped = spec.kind === 'video' ? 0 : (run.drops.get('before-start') ?? 0);
        expect(skipped).toBeLessThanOrEqual(4);
        const expected = packets(file, spec.kind === 'video' ? 'v' : 'a').slice(skipped);
        const got = packets(out, '0');
        expect(got.length).toBe(expected.length);
        for (const [i, packet] of got.entries()) {
          expect(packet[1]).toBe(expected[i]?.[1]);
          expect(packet[2]?.[0]).toBe(expected[i]?.[2]?.[0]);
          if (spec.kind === 'video')
            expect(Math.abs(Number(packet[0]) - Number(expected[i]?.[0]))).toBeLessThan(0.0011);
        }
      }
    },
  );
});
