/** What parsers of others make of our playlists and media. */
import HLS from 'hls-parser';
import { Parser } from 'm3u8-parser';
import { createFile, MP4BoxBuffer } from 'mp4box';
import type { MediaPlaylist } from './playlist-text.ts';

// It would print a warning for parts before the last three segments; the rule is three target durations.
HLS.setOptions({ silent: true });

/** Where hls-parser and m3u8-parser disagree with `playlist`, as read from the same text. */
export function disagreements(text: string, playlist: MediaPlaylist): readonly string[] {
  const mistakes: string[] = [];
  const expect = (what: string, got: unknown, expected: unknown) => {
    if (got !== expected) mistakes.push(`${what}: ${String(got)}, expected ${String(expected)}`);
  };
  const complete = playlist.segments.filter(({ uri }) => uri !== undefined);
  const parsed = HLS.parse(text);
  if (parsed.isMasterPlaylist) return ['hls-parser takes it for a multivariant playlist'];
  const media = parsed;
  expect('hls-parser: segments', media.segments.filter(({ uri }) => uri !== '').length, complete.length);
  expect('hls-parser: target duration', media.targetDuration, playlist.targetDurationS);
  expect('hls-parser: part target', media.partTargetDuration, playlist.partTargetS);
  expect('hls-parser: media sequence', media.mediaSequenceBase, playlist.mediaSequence);
  expect('hls-parser: end', media.endlist, playlist.ended);
  const parser = new Parser();
  parser.on('warn', ({ message }) => void mistakes.push(`m3u8-parser: ${message}`));
  parser.push(text);
  parser.end();
  const { manifest } = parser;
  expect(
    'm3u8-parser: complete segments',
    manifest.segments.filter(({ uri }) => uri !== undefined).length,
    complete.length,
  );
  expect('m3u8-parser: target duration', manifest.targetDuration, playlist.targetDurationS);
  expect('m3u8-parser: part target', manifest.partTargetDuration, playlist.partTargetS);
  expect('m3u8-parser: media sequence', manifest.mediaSequence, playlist.mediaSequence);
  expect('m3u8-parser: end', manifest.endList ?? false, playlist.ended);
  return mistakes;
}

/** One fragment as mp4box read it. */
export interface Fragment {
  readonly dts: number;
  readonly duration: number;
  readonly samples: number;
}

export interface ParsedTrack {
  readonly codec: string;
  readonly kind: string;
  readonly timescale: number;
  readonly fragments: readonly Fragment[];
}

/** Lets mp4box parse an init section and what follows it; throws when it finds no track or a box it cannot place. */
export function parseWithMp4box(init: Uint8Array, media: readonly Uint8Array[]): ParsedTrack {
  const file = createFile();
  let info: ReturnType<typeof file.getInfo> | undefined;
  let failure: string | undefined;
  file.onReady = (ready) => {
    info = ready;
  };
  file.onError = (module, message) => {
    failure = `${module}: ${message}`;
  };
  let at = 0;
  for (const bytes of [init, ...media]) {
    const copy = new Uint8Array(bytes).buffer;
    file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(copy, at));
    at += bytes.length;
  }
  file.flush();
  const track = info?.tracks[0];
  if (failure !== undefined || track === undefined)
    throw new Error(`mp4box: ${failure ?? 'no track in the init section'}`);
  const defaultDuration = file.moov.mvex?.trexs[0]?.default_sample_duration ?? 0;
  const fragments = file.moofs.map((moof): Fragment => {
    const traf = moof.trafs[0];
    const run = traf?.truns[0];
    if (traf?.tfdt === undefined || run === undefined) throw new Error('mp4box: a moof without tfdt or trun');
    const fallback = traf.tfhd.default_sample_duration || defaultDuration;
    const durations = Array.from({ length: run.sample_count }, (_, i) => run.sample_duration[i] ?? fallback);
    return {
      dts: traf.tfdt.baseMediaDecodeTime,
      duration: durations.reduce((sum, ticks) => sum + ticks, 0),
      samples: run.sample_count,
    };
  });
  const [kind] = track.video === undefined ? ['audio'] : ['video'];
  return { codec: track.codec, kind: kind ?? '', timescale: track.timescale, fragments };
}

/** Places where the decode time does not go on where the fragment before ended (more than `toleranceTicks` off). */
export function timeBreaks(fragments: readonly Fragment[], toleranceTicks = 0): readonly string[] {
  return fragments.flatMap((fragment, i) => {
    const before = fragments[i - 1];
    if (before === undefined) return [];
    const off = fragment.dts - (before.dts + before.duration);
    return Math.abs(off) <= toleranceTicks ? [] : [`fragment ${i} starts ${off} ticks off (at ${fragment.dts})`];
  });
}
