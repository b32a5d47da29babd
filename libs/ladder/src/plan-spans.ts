/** A stretch of the source that one worker encodes at a time, from one keyframe to another. */
export interface Span {
  /** Counts from 0. */
  readonly span: number;
  /** 0, or the time of a keyframe, ms. */
  readonly startMs: number;
  /** The next span's start; null: to the end of the file, whatever its header said of its length. */
  readonly endMs: number | null;
  /** For shares of the work, ms; above 0. */
  readonly lengthMs: number;
}

/** More spans than this are not made, however long the source: each is a task of every rung. */
const mostSpans = 2_000;

/** Wished lengths, ms. */
const [shortestMs, longestMs] = [25_000, 60_000];
/** Of a picture of 1280x720 at 30/s, ms. */
const usualMs = 45_000;
const usualPixels = 1_280 * 720 * 30;

/**
 * Wished length of the spans of a source, ms. To start an encoder takes as long as to encode a second or two, so a span is long enough for
 * that not to count, also in the small rungs; what is larger takes longer to encode, and a lost worker loses a span: so it is shorter.
 */
export function wishedSpanMs(width: number, height: number, framesPerSecond: number): number {
  const pixels = Math.max(1, width * height * framesPerSecond);
  return Math.round(Math.min(longestMs, Math.max(shortestMs, (usualMs * usualPixels) / pixels)));
}

/**
 * Cuts a source into spans of about `targetMs` that begin at its keyframes: together they cover it once. Of two keyframes the one
 * nearer to the wished place is taken; a source with too few keyframes has longer spans.
 * @param keyframesMs in any order, as a file gives them.
 */
export function planSpans(keyframesMs: readonly number[], durationMs: number, targetMs: number): readonly Span[] {
  const wishedMs = Math.max(targetMs, durationMs / mostSpans);
  // A shorter one is not worth a start of the encoder.
  const leastMs = wishedMs / 2;
  const cuts = keyframesMs.filter((at) => at > 0 && at <= durationMs - leastMs).sort((a, b) => a - b);
  const starts = [0];
  let last = 0;
  let next = 0;
  while (durationMs - last > wishedMs + leastMs) {
    while (next < cuts.length && (cuts[next] ?? 0) < last + wishedMs) next++;
    const [before, after] = [cuts[next - 1], cuts[next]];
    const start = nearer(last + wishedMs, before !== undefined && before >= last + leastMs ? before : undefined, after);
    if (start === undefined) break;
    starts.push(start);
    last = start;
  }
  return starts.map((startMs, span) => {
    const endMs = starts[span + 1] ?? null;
    return { span, startMs, endMs, lengthMs: Math.max(1, (endMs ?? durationMs) - startMs) };
  });
}

function nearer(wish: number, before: number | undefined, after: number | undefined): number | undefined {
  if (before === undefined || after === undefined) return before ?? after;
  return wish - before <= after - wish ? before : after;
}
