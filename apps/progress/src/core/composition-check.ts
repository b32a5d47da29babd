/** Whether videos can be joined as they were asked to be. Everything that is wrong is said at once, each with its reason. Pure. */
import { mostCompositionInputs, mostCompositionRepeats } from '@millrace/api';
import { err, ok, type Result } from '@millrace/result';
import type { CompositionItem } from './composition.ts';
import type { VideoRecord } from './video.ts';

export type Transition = { readonly kind: 'cut' | 'fade' | 'crossfade'; readonly durationMs: number };

export interface CompositionFault {
  readonly code:
    | 'too-few'
    | 'too-many'
    | 'unknown-video'
    | 'unfinished-video'
    | 'no-picture'
    | 'repeated-video'
    | 'bad-trim'
    | 'transition-too-long';
  /** Where in the request: `body.videos[2]`. */
  readonly path: string;
  readonly expected: string;
  readonly got: string;
}

/** An input that can be joined. */
export interface CheckedItem {
  readonly item: CompositionItem;
  readonly video: VideoRecord;
  /** Key of its original. */
  readonly source: string;
  /** Of what is taken. */
  readonly lengthMs: number;
}

/** Shortest part of a video that is taken, ms. */
const shortestMs = 100;

/** `videos` are those of the items that the caller may reach; one that is not among them is unknown. */
export function checkComposition(
  items: readonly CompositionItem[],
  videos: ReadonlyMap<string, VideoRecord>,
  transition: Transition,
): Result<readonly CheckedItem[], readonly CompositionFault[]> {
  const faults: CompositionFault[] = [...countFaults(items)];
  const checked: CheckedItem[] = [];
  for (const [i, item] of items.entries()) {
    const path = `body.videos[${i}]`;
    const one = checkItem(path, item, videos.get(item.videoId));
    const fault = one.ok ? transitionFault(path, one.value, transition, i > 0, i < items.length - 1) : one.error;
    if (fault !== undefined) faults.push(fault);
    else if (one.ok) checked.push(one.value);
  }
  return faults.length === 0 ? ok(checked) : err(faults);
}

function countFaults(items: readonly CompositionItem[]): readonly CompositionFault[] {
  const path = 'body.videos';
  const faults: CompositionFault[] = [];
  const got = `${items.length}`;
  if (items.length < 2) faults.push({ code: 'too-few', path, expected: 'at least 2 videos', got });
  if (items.length > mostCompositionInputs) {
    faults.push({ code: 'too-many', path, expected: `at most ${mostCompositionInputs} videos`, got });
  }
  const counts = new Map<string, number>();
  for (const { videoId } of items) counts.set(videoId, (counts.get(videoId) ?? 0) + 1);
  for (const [videoId, count] of counts) {
    if (count <= mostCompositionRepeats) continue;
    const expected = `one video at most ${mostCompositionRepeats} times`;
    faults.push({ code: 'repeated-video', path, expected, got: `${videoId} ${count} times` });
  }
  return faults;
}

function checkItem(
  path: string,
  item: CompositionItem,
  video: VideoRecord | undefined,
): Result<CheckedItem, CompositionFault> {
  const { videoId } = item;
  if (video === undefined) {
    return err({ code: 'unknown-video', path, expected: 'a video that is there', got: videoId });
  }
  const finished = video.status === 'completed' || video.playable?.complete === true;
  if (!finished || video.sourceState !== 'ready' || video.sourceKey === undefined || video.media === undefined) {
    const got = `${videoId}, which is ${video.status} with an original that is ${video.sourceState}`;
    return err({ code: 'unfinished-video', path, expected: 'a video that is completed', got });
  }
  if (video.media.video === null) {
    return err({ code: 'no-picture', path, expected: 'a video with a picture', got: `${videoId}, which has none` });
  }
  const durationMs = video.media.duration_ms;
  const { startMs = 0, endMs = durationMs } = item;
  if (startMs < 0 || endMs > durationMs || endMs - startMs < shortestMs) {
    const expected = `at least ${shortestMs} ms of ${videoId} between 0 and ${durationMs} ms`;
    return err({ code: 'bad-trim', path, expected, got: `${startMs} to ${endMs} ms` });
  }
  return ok({ item, video, source: video.sourceKey, lengthMs: endMs - startMs });
}

/** A crossfade takes its whole length of each side, a fade half of it; both ends of an input may have one. */
function transitionFault(
  path: string,
  { item, lengthMs }: CheckedItem,
  { kind, durationMs }: Transition,
  atStart: boolean,
  atEnd: boolean,
): CompositionFault | undefined {
  if (kind === 'cut') return undefined;
  const each = kind === 'crossfade' ? durationMs : durationMs / 2;
  const needed = each * ((atStart ? 1 : 0) + (atEnd ? 1 : 0));
  if (needed <= lengthMs) return undefined;
  const expected = `at least ${needed} ms of ${item.videoId} for its transitions`;
  return { code: 'transition-too-long', path, expected, got: `${lengthMs} ms` };
}
