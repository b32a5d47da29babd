/** Shows a live window the way libs/hls wants to see it. */
import type { MediaPlaylistView, MultivariantPlaylistView, PartView, SegmentView, VariantView } from '@millrace/hls';
import type { LiveWindow } from './live-window.ts';
import { mediaUri, sessionPlaylistUri, siblingPlaylistUri } from './playback-path.ts';
import type { RenditionTrack } from './rendition-track.ts';
import type { TrackSegment } from './track-segment.ts';

/** The media playlist of one rendition. */
export function mediaPlaylistView(window: LiveWindow, track: RenditionTrack): MediaPlaylistView {
  const listed = track.listed();
  const partsFrom = track.partsListedFrom();
  const first = listed[0];
  const { segment, part } = track.next;
  const hint = mediaUri(track.name, { kind: 'part', windowId: window.id, segment, part });
  return {
    targetDurationS: window.settings.targetDurationS,
    partTargetS: window.settings.partTargetS,
    mediaSequence: first?.number ?? track.firstListed,
    discontinuitySequence:
      first === undefined ? track.discontinuities : first.discontinuitySequence - (first.discontinuity ? 1 : 0),
    segments: listed.map((entry) => segmentView(window, track, entry, entry.number >= partsFrom)),
    preloadHintUri: track.ended ? undefined : hint,
    renditionReports: window
      .tracks()
      .filter((other) => other !== track && !other.ended)
      .flatMap((other) => reportOf(other)),
    ended: track.ended,
    independentSegments: onlyAudio(window),
  };
}

function segmentView(
  window: LiveWindow,
  track: RenditionTrack,
  segment: TrackSegment,
  withParts: boolean,
): SegmentView {
  const { number, init } = segment;
  const windowId = window.id;
  const { timescale } = track.spec;
  const partView = ({ duration, independent }: { duration: number; independent: boolean }, part: number): PartView => ({
    uri: mediaUri(track.name, { kind: 'part', windowId, segment: number, part }),
    durationS: duration / timescale,
    independent,
  });
  return {
    uri: mediaUri(track.name, { kind: 'segment', windowId, segment: number }),
    durationS: segment.durationS,
    complete: segment.complete,
    gap: segment.gap,
    discontinuity: segment.discontinuity,
    programDateTimeMs: segment.programDateTimeMs,
    mapUri: init === undefined ? undefined : mediaUri(track.name, { kind: 'init', windowId, init }),
    parts: withParts ? segment.parts.map(partView) : [],
  };
}

function reportOf(track: RenditionTrack): MediaPlaylistView['renditionReports'] {
  const { segment, part } = track.next;
  const uri = siblingPlaylistUri(track.name);
  if (part > 0) return [{ uri, lastMsn: segment, lastPart: part - 1 }];
  const last = track.segment(segment - 1);
  if (last === undefined) return [];
  return [{ uri, lastMsn: last.number, lastPart: last.parts.length > 0 ? last.parts.length - 1 : undefined }];
}

/**
 * EXT-X-INDEPENDENT-SEGMENTS is a promise about every segment to come. Audio keeps it; a video segment may have to be cut
 * without a keyframe, so with video it is never made.
 */
function onlyAudio(window: LiveWindow): boolean {
  return window.tracks().every((track) => track.spec.kind === 'audio');
}

/** What the multivariant playlist says, for any viewer: its URIs are the names of the renditions. */
export function multivariantFacts(window: LiveWindow): MultivariantPlaylistView {
  const live = window.tracks().filter((track) => !track.ended);
  const video = live.filter((track) => track.spec.kind === 'video');
  const audio = live.filter((track) => track.spec.kind === 'audio');
  const group = video.length > 0 && audio.length > 0 ? 'audio' : undefined;
  const audioPeakBps = Math.max(0, ...audio.map((track) => rates(track).peakBps));
  const audioAverageBps = Math.max(0, ...audio.map((track) => rates(track).averageBps));
  const audioCodecs = [...new Set(audio.map((track) => track.spec.codecs))];
  const variants = (video.length > 0 ? video : audio).map((track): VariantView => {
    const { peakBps, averageBps } = rates(track);
    const { codecs, width, height, frameRate } = track.spec;
    return {
      uri: track.name,
      bandwidthBps: roundUpKilobit(peakBps + (group === undefined ? 0 : audioPeakBps)),
      averageBandwidthBps: roundUpKilobit(averageBps + (group === undefined ? 0 : audioAverageBps)),
      codecs: group === undefined ? [codecs] : [codecs, ...audioCodecs],
      ...(track.spec.kind === 'video' ? { width, height, frameRate } : {}),
      audioGroup: group,
    };
  });
  return {
    variants: variants.sort((a, b) => b.bandwidthBps - a.bandwidthBps),
    audio:
      group === undefined
        ? []
        : audio.map((track, i) => ({
            group,
            name: track.name,
            uri: track.name,
            channels: track.spec.channels,
            isDefault: i === 0,
          })),
    independentSegments: onlyAudio(window),
  };
}

/** The multivariant playlist of one viewer session. */
export function withSession(facts: MultivariantPlaylistView, session: string): MultivariantPlaylistView {
  const inSession = <T extends { readonly uri: string }>(entry: T): T => ({
    ...entry,
    uri: sessionPlaylistUri(session, entry.uri),
  });
  return { ...facts, variants: facts.variants.map(inSession), audio: facts.audio.map(inSession) };
}

/** Measured peaks get 10 % of room: what comes may be a little more (Apple authoring 1.28: at most 25 % above). */
const headroom = 1.1;
const guessedAudioBps = 160_000;
const guessedVideoBps = 2_500_000;
/** What x264 spends on a pixel of ordinary camera or screen video at broadcasters' usual settings. */
const guessedBitsPerPixel = 0.1;

/** Bit rates of a rendition: measured over its listed segments, or a guess from its format before there is one. */
function rates(track: RenditionTrack): { readonly peakBps: number; readonly averageBps: number } {
  const measured = track.listed().filter((segment) => segment.complete && !segment.gap && segment.durationS > 0);
  if (measured.length === 0) {
    const { kind, width, height, frameRate } = track.spec;
    const pixels = width === undefined || height === undefined ? undefined : width * height * (frameRate ?? 30);
    const videoBps = pixels === undefined ? guessedVideoBps : pixels * guessedBitsPerPixel;
    const bps = kind === 'audio' ? guessedAudioBps : videoBps;
    return { peakBps: bps * 1.5, averageBps: bps };
  }
  const bits = measured.reduce((sum, segment) => sum + segment.size * 8, 0);
  const seconds = measured.reduce((sum, segment) => sum + segment.durationS, 0);
  return { peakBps: track.peakBps * headroom, averageBps: bits / seconds };
}

function roundUpKilobit(bps: number): number {
  return Math.ceil(bps / 1000) * 1000;
}
