/** The playlists of an asset: a media playlist for each track inside its folder, and beside the folder one for HLS and one for DASH. Pure. */
import type { StoredSegment, StoredTrack } from '@millrace/api';
import { type DashAudio, type DashCaptions, type DashTrack, type DashVideo, renderPresentation } from '@millrace/dash';
import {
  type MeasuredSegment,
  renderMultivariantPlaylist,
  renderVodPlaylist,
  segmentBitRates,
  type VariantView,
} from '@millrace/hls';
import { frameRateOf } from '@millrace/ladder';
import type { AssetTracks, RungTracks, WrittenSubtitles } from './asset-tracks.ts';

/** Sizes of the asset's objects by path, as the store has them. */
export type StoredSizes = ReadonlyMap<string, number>;

export interface PlaylistText {
  /** Relative to the asset's folder. */
  readonly path: string;
  readonly text: string;
}

export interface AssetPlaylists {
  /** Media playlists, to be written first. */
  readonly media: readonly PlaylistText[];
  /** `{asset}.m3u8`. */
  readonly multivariant: string;
  /** `{asset}.mpd`; undefined where DASH cannot say it: spans of one rung that were encoded unlike each other. */
  readonly presentation: string | undefined;
}

const audioGroup = 'audio';
const subtitlesGroup = 'subtitles';
const audioPlaylist = 'audio/index.m3u8';

/** `name` is the last part of the asset's folder, which everything beside it has in front: `ast_x`. */
export function renderAssetPlaylists(
  name: string,
  tracks: AssetTracks,
  durationMs: number,
  sizes: StoredSizes,
): AssetPlaylists {
  const { rungs, audio, subtitles } = tracks;
  const media = [
    ...rungs.map((rung) => ({ path: rungPlaylist(rung), text: trackPlaylist(rung.spans) })),
    ...(audio === undefined ? [] : [{ path: audioPlaylist, text: trackPlaylist([audio]) }]),
    ...subtitles.map((one) => ({ path: subtitlesPlaylist(one), text: captionsPlaylist(one, durationMs) })),
  ];
  return {
    media,
    multivariant: multivariantOf(name, tracks, sizes),
    presentation: presentationOf(name, tracks, durationMs, sizes),
  };
}

function multivariantOf(name: string, { rungs, audio, subtitles }: AssetTracks, sizes: StoredSizes): string {
  const sound = audio === undefined ? { peakBps: 0, averageBps: 0 } : segmentBitRates(measured([audio], sizes));
  const groups = subtitles.length === 0 ? {} : { subtitlesGroup };
  const variants = rungs.map((rung): VariantView => {
    const { peakBps, averageBps } = segmentBitRates(measured(rung.spans, sizes));
    return {
      uri: `${name}/${rungPlaylist(rung)}`,
      bandwidthBps: peakBps + sound.peakBps,
      averageBandwidthBps: averageBps + sound.averageBps,
      codecs: [...new Set(rung.spans.map((span) => span.codec)), ...(audio === undefined ? [] : [audio.codec])],
      width: rung.rung.width,
      height: rung.rung.height,
      frameRate: rung.rung.frames_per_second,
      ...(audio === undefined ? {} : { audioGroup }),
      ...groups,
    };
  });
  if (variants.length === 0 && audio !== undefined) {
    const rates = { bandwidthBps: sound.peakBps, averageBandwidthBps: sound.averageBps };
    variants.push({ uri: `${name}/${audioPlaylist}`, ...rates, codecs: [audio.codec], ...groups });
  }
  return renderMultivariantPlaylist({
    variants,
    audio:
      audio === undefined || rungs.length === 0
        ? []
        : [{ group: audioGroup, name: 'audio', uri: `${name}/${audioPlaylist}`, channels: 2, isDefault: true }],
    subtitles: subtitles.map((one) => ({
      group: subtitlesGroup,
      name: languageName(one.language),
      uri: `${name}/${subtitlesPlaylist(one)}`,
      language: one.language,
      isDefault: false,
    })),
    independentSegments: true,
  });
}

function trackPlaylist(spans: readonly StoredTrack[]): string {
  const segments = spans.flatMap((span) =>
    span.segments.map((segment) => ({
      uri: fileName(segment.path),
      durationS: segment.duration_ms / 1_000,
      mapUri: fileName(span.init),
    })),
  );
  return renderVodPlaylist({ segments, independentSegments: true });
}

/** A video whose captions came out in no segments has one of nothing but silence: the whole file. */
function captionsPlaylist({ segments, vtt }: WrittenSubtitles, durationMs: number): string {
  const listed: readonly Pick<StoredSegment, 'path' | 'duration_ms'>[] = segments;
  const whole = [{ uri: `../${fileName(vtt)}`, durationS: durationMs / 1_000 }];
  const each = listed.map(({ path, duration_ms }) => ({ uri: fileName(path), durationS: duration_ms / 1_000 }));
  return renderVodPlaylist({ segments: each.length === 0 ? whole : each, independentSegments: false });
}

function presentationOf(
  name: string,
  { rungs, audio, subtitles }: AssetTracks,
  durationMs: number,
  sizes: StoredSizes,
): string | undefined {
  const video: DashVideo[] = [];
  for (const rung of rungs) {
    const track = dashTrack(name, `video-${rung.rung.name}`, rung.spans, sizes);
    if (track === undefined) return undefined;
    const { width, height, frames_per_second } = rung.rung;
    video.push({ ...track, width, height, frameRate: frameRateOf(frames_per_second) });
  }
  const sound: DashAudio[] = [];
  if (audio !== undefined) {
    const track = dashTrack(name, 'audio', [audio], sizes);
    if (track === undefined) return undefined;
    sound.push({ ...track, sampleRate: audio.timescale, channels: 2 });
  }
  const captions = subtitles.map(
    (one): DashCaptions => ({
      id: `subtitles-${one.language}`,
      language: one.language,
      name: languageName(one.language),
      uri: `${name}/${one.vtt}`,
    }),
  );
  return renderPresentation({ durationMs, video, audio: sound, captions });
}

/** All spans as one track; undefined when they do not share an init section. */
function dashTrack(
  name: string,
  folder: string,
  spans: readonly StoredTrack[],
  sizes: StoredSizes,
): DashTrack | undefined {
  const [first, ...others] = spans;
  if (first === undefined || others.some((span) => span.init !== first.init)) return undefined;
  const segments = spans.flatMap((span) =>
    span.segments.map(({ path, duration_ms }) => ({
      startTicks: startOf(path),
      durationTicks: Math.round((duration_ms * span.timescale) / 1_000),
    })),
  );
  return {
    id: folder,
    bandwidthBps: segmentBitRates(measured(spans, sizes)).peakBps,
    codec: first.codec,
    timescale: first.timescale,
    initUri: `${name}/${first.init}`,
    mediaUri: `${name}/${folder}/s$Time$.m4s`,
    segments,
  };
}

/** Real durations and sizes. */
function measured(spans: readonly StoredTrack[], sizes: StoredSizes): readonly MeasuredSegment[] {
  return spans.flatMap((span) =>
    span.segments.map(({ path, duration_ms, bytes }) => ({
      durationS: duration_ms / 1_000,
      bytes: sizes.get(path) ?? bytes,
    })),
  );
}

function rungPlaylist({ rung }: RungTracks): string {
  return `video-${rung.name}/index.m3u8`;
}

function subtitlesPlaylist({ language }: WrittenSubtitles): string {
  return `subtitles-${language}/index.m3u8`;
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** `video-720p/s90090.m4s` begins at 90090. */
function startOf(path: string): number {
  const start = /\/s(\d{1,16})\.m4s$/.exec(path)?.[1];
  if (start === undefined) throw new Error(`expected a segment that is named after its start, got ${path}`);
  return Number(start);
}

/** "English", or the tag where nobody knows the language. */
function languageName(tag: string): string {
  try {
    return (new Intl.DisplayNames(['en'], { type: 'language' }).of(tag) ?? tag).replaceAll(/["\r\n]/g, '');
  } catch {
    return tag;
  }
}
