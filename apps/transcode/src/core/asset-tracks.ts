/** What an asset is made of, gathered from the results of the tasks that made it. Pure. */
import type { ResultOf, Rung, StoredTrack, TaskResult } from '@millrace/api';
import { err, ok, type Result } from '@millrace/result';

/** All spans of one rung, in order. */
export interface RungTracks {
  readonly rung: Rung;
  readonly spans: readonly StoredTrack[];
}

export type WrittenSubtitles = Extract<ResultOf<'subtitles'>['outcome'], { kind: 'written' }>;

export interface AssetTracks {
  /** Best first. */
  readonly rungs: readonly RungTracks[];
  readonly audio: StoredTrack | undefined;
  readonly subtitles: readonly WrittenSubtitles[];
}

/** Newer results over older ones: what is not among `newer` stays as it was. In the order in which they are kept. */
export function mergeResults(older: readonly TaskResult[], newer: readonly TaskResult[]): readonly TaskResult[] {
  const merged = new Map<string, TaskResult>();
  for (const result of older) if (isTrack(result)) merged.set(identityOf(result), result);
  for (const result of newer.flatMap(tracksOf)) if (isTrack(result)) merged.set(identityOf(result), result);
  return [...merged.values()];
}

/** A video that was made in one go has one rung of one span. */
function tracksOf(result: TaskResult): readonly TaskResult[] {
  if (result.kind !== 'join') return [result];
  const { rung, video, audio } = result.rendition;
  return [
    { kind: 'span', rung, span: 0, track: video },
    { kind: 'audio', track: audio, speech: null },
  ];
}

/** Results that playlists are made of. Audio that was only listened to is none. */
function isTrack(result: TaskResult): boolean {
  return result.kind === 'span' || result.kind === 'subtitles' || (result.kind === 'audio' && result.track !== null);
}

function identityOf(result: TaskResult): string {
  return result.kind === 'span' ? `span ${result.rung.name} ${result.span}` : result.kind;
}

/** Groups results by track. A rung that lacks a span has no place in a playlist: to be given one is a mistake of the plan. */
export function assetTracksOf(results: readonly TaskResult[]): Result<AssetTracks, string> {
  const spansByRung = new Map<string, ResultOf<'span'>[]>();
  let audio: StoredTrack | undefined;
  const subtitles: WrittenSubtitles[] = [];
  for (const result of results) {
    if (result.kind === 'audio') audio = result.track ?? undefined;
    if (result.kind === 'subtitles' && result.outcome.kind === 'written') subtitles.push(result.outcome);
    if (result.kind !== 'span') continue;
    const spans = spansByRung.get(result.rung.name) ?? [];
    spans.push(result);
    spansByRung.set(result.rung.name, spans);
  }
  const rungs: RungTracks[] = [];
  const counts = new Set<number>();
  for (const [name, spans] of spansByRung) {
    const ordered = [...spans].sort((a, b) => a.span - b.span);
    const [first] = ordered;
    const missing = ordered.findIndex((span, i) => span.span !== i);
    if (first === undefined || missing !== -1)
      return err(`expected every span of ${name}, got none with number ${missing}`);
    counts.add(ordered.length);
    rungs.push({ rung: first.rung, spans: ordered.map((span) => span.track) });
  }
  if (counts.size > 1) return err(`expected as many spans of every rung, got ${[...counts].join(' and ')}`);
  if (rungs.length === 0 && audio === undefined) return err('expected a rung or audio, got neither');
  rungs.sort((a, b) => b.rung.height * b.rung.width - a.rung.height * a.rung.width);
  return ok({ rungs, audio, subtitles });
}

/** Paths of every object that the playlists will name. */
export function pathsOf({ rungs, audio, subtitles }: AssetTracks): readonly string[] {
  const tracks = [...rungs.flatMap((rung) => rung.spans), ...(audio === undefined ? [] : [audio])];
  const media = tracks.flatMap((track) => [track.init, ...track.segments.map((segment) => segment.path)]);
  const captions = subtitles.flatMap((one) => [one.vtt, ...one.segments.map((segment) => segment.path)]);
  return [...media, ...captions];
}
