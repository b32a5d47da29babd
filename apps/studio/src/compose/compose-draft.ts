/** What is going to be joined: videos in an order, each whole or a part of it. Pure. */
import { err, ok, type Result } from '@millrace/result';

export interface DraftItem {
  /** One video may be there several times: this tells them apart. */
  readonly key: string;
  readonly videoId: string;
  readonly title: string;
  readonly posterUrl: string | null;
  readonly locked: boolean;
  readonly durationMs: number;
  /** As typed; empty: from the beginning, to the end. */
  readonly start: string;
  readonly end: string;
}

export type TransitionKind = 'cut' | 'fade' | 'crossfade';

export interface ComposeDraft {
  readonly title: string;
  readonly items: readonly DraftItem[];
  readonly transition: TransitionKind;
  readonly transitionMs: number;
  readonly evenLoudness: boolean;
}

export interface CompositionBody {
  readonly title?: string;
  readonly videos: readonly { readonly video_id: string; readonly start_ms?: number; readonly end_ms?: number }[];
  readonly transition?: { readonly kind: TransitionKind; readonly duration_ms: number };
  readonly even_loudness: boolean;
}

export const emptyDraft: ComposeDraft = {
  ...{ title: '', items: [], transition: 'cut', transitionMs: 500, evenLoudness: true },
};

const mostItems = 100;
const mostRepeats = 5;
const shortestMs = 100;

/** The list with the item at `from` at `to` instead; the same list when nothing moves. */
export function moved<T>(items: readonly T[], from: number, to: number): readonly T[] {
  const target = Math.min(Math.max(0, to), items.length - 1);
  const item = items[from];
  if (item === undefined || from === target) return items;
  const others = [...items.slice(0, from), ...items.slice(from + 1)];
  return [...others.slice(0, target), item, ...others.slice(target)];
}

/** Reads `75`, `1:15`, `1:15.5` and `1:02:03` as ms; undefined for what is no time. */
export function parseTime(text: string): number | undefined {
  const parts = text.trim().split(':');
  if (parts.length > 3) return undefined;
  let s = 0;
  for (const [i, part] of parts.entries()) {
    const last = i === parts.length - 1;
    if (!(last ? /^\d{1,6}([.,]\d{1,3})?$/ : /^\d{1,4}$/).test(part)) return undefined;
    const value = Number(part.replace(',', '.'));
    if (i > 0 && value >= 60) return undefined;
    s = s * 60 + value;
  }
  return Math.round(s * 1000);
}

/** `1:15.5`, as `parseTime` reads it. */
export function formatTime(ms: number): string {
  const whole = Math.floor(ms / 1000);
  const rest = String(ms % 1000)
    .padStart(3, '0')
    .replace(/0+$/, '');
  const pad = (n: number) => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return `${h > 0 ? `${h}:${pad(m)}` : m}:${pad(s)}${rest === '' ? '' : `.${rest}`}`;
}

export interface Trim {
  /** Undefined: as the video is. */
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
  readonly lengthMs: number;
}

/** The part of the item that is taken, or what is wrong with it, for the person who typed it. */
export function trimOf({
  start,
  end,
  durationMs,
}: Pick<DraftItem, 'start' | 'end' | 'durationMs'>): Result<Trim, string> {
  const [startMs, endMs] = [start, end].map((text) => (text.trim() === '' ? undefined : (parseTime(text) ?? null)));
  if (startMs === null || endMs === null) return err('Expected a time such as 1:15 or 1:15.5.');
  const from = startMs ?? 0;
  const to = endMs ?? durationMs;
  if (to > durationMs) return err(`It ends at ${formatTime(durationMs)}.`);
  if (to - from < shortestMs) return err('The end has to come after the start.');
  return ok({ startMs, endMs, lengthMs: to - from });
}

/** Length of what comes out, ms; undefined while a part is not right. */
export function totalMs(draft: ComposeDraft): number | undefined {
  let total = 0;
  for (const item of draft.items) {
    const trim = trimOf(item);
    if (!trim.ok) return undefined;
    total += trim.value.lengthMs;
  }
  // Both sides of a crossfade are seen at once.
  const overlaps = draft.transition === 'crossfade' ? Math.max(0, draft.items.length - 1) * draft.transitionMs : 0;
  return Math.max(0, total - overlaps);
}

/** What keeps it from being joined, said once; undefined: nothing does. */
export function obstacle(draft: ComposeDraft): string | undefined {
  const { items, transition, transitionMs } = draft;
  if (items.length < 2) return 'Pick at least two videos.';
  if (items.length > mostItems) return `Pick at most ${mostItems} videos.`;
  const counts = new Map<string, number>();
  for (const { videoId } of items) counts.set(videoId, (counts.get(videoId) ?? 0) + 1);
  const often = items.find(({ videoId }) => (counts.get(videoId) ?? 0) > mostRepeats);
  if (often !== undefined) return `“${often.title}” may be there at most ${mostRepeats} times.`;
  const each = transition === 'crossfade' ? transitionMs : transition === 'fade' ? transitionMs / 2 : 0;
  for (const [i, item] of items.entries()) {
    const trim = trimOf(item);
    if (!trim.ok) return `“${item.title}”: ${trim.error}`;
    const needed = each * ((i > 0 ? 1 : 0) + (i < items.length - 1 ? 1 : 0));
    if (needed > trim.value.lengthMs) return `“${item.title}” is too short for its transitions.`;
  }
  return undefined;
}

/** What is sent; only for a draft without an obstacle. */
export function bodyOf(draft: ComposeDraft): CompositionBody {
  const title = draft.title.trim();
  return {
    ...(title === '' ? {} : { title }),
    videos: draft.items.map((item) => {
      const trim = trimOf(item);
      const { startMs, endMs } = trim.ok ? trim.value : { startMs: undefined, endMs: undefined };
      return {
        video_id: item.videoId,
        ...(startMs === undefined ? {} : { start_ms: startMs }),
        ...(endMs === undefined ? {} : { end_ms: endMs }),
      };
    }),
    ...(draft.transition === 'cut' ? {} : { transition: { kind: draft.transition, duration_ms: draft.transitionMs } }),
    even_loudness: draft.evenLoudness,
  };
}
