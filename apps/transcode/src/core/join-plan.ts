/**
 * How the pictures of several inputs become one track: pieces in playing order, each copied or encoded. Encoded is only what a
 * transition changes, and what lies between a cut and the next place where a copy can begin. Times are ms; pure.
 */
import type { SpecOf } from '@millrace/api';
import type { FrameTable } from './frame-table.ts';

export type Transition = SpecOf<'join'>['transition'];

export interface JoinInput {
  readonly table: FrameTable;
  readonly trim: { readonly start_ms: number; readonly end_ms: number } | null;
}

/** `atMs`: where it is in the output. `fromMs`: where it is in its input, from that file's start. */
export type Piece =
  | {
      readonly kind: 'copy';
      readonly input: number;
      /** Its first picture, and how many. */
      readonly from: number;
      readonly frames: number;
      readonly fromMs: number;
      readonly lengthMs: number;
      readonly atMs: number;
    }
  | {
      readonly kind: 'encode';
      readonly input: number;
      readonly fromMs: number;
      readonly lengthMs: number;
      readonly atMs: number;
      readonly fade: 'in' | 'out' | undefined;
    }
  /** The end of `input` over the beginning of the next one. */
  | {
      readonly kind: 'blend';
      readonly input: number;
      readonly fromMs: number;
      readonly nextFromMs: number;
      readonly lengthMs: number;
      readonly atMs: number;
    };

/** What an input takes of the output's timeline; neighbours overlap by a crossfade. */
export interface Stretch {
  readonly atMs: number;
  /** In the input, from its file's start. */
  readonly fromMs: number;
  readonly lengthMs: number;
}

export interface JoinPlan {
  readonly pieces: readonly Piece[];
  readonly stretches: readonly Stretch[];
  readonly lengthMs: number;
  /** How much of the pictures is encoded. */
  readonly encodedMs: number;
}

/** Plans the join. Throws on an input of which nothing is taken: that was to be refused before. */
export function planJoin(inputs: readonly JoinInput[], transition: Transition): JoinPlan {
  const pieces: Piece[] = [];
  const stretches: Stretch[] = [];
  const each = { cut: 0, fade: transition.duration_ms / 2, crossfade: transition.duration_ms }[transition.kind];
  let atMs = 0;
  for (const [input, { table, trim }] of inputs.entries()) {
    const { from, to } = rangeOf(table, trim);
    if (to <= from) throw new Error(`input ${input}: expected pictures in what is taken of it, got none`);
    const [startMs, endMs] = [table.timeAt(from), table.timeAt(to)];
    const most = (endMs - startMs) / 2;
    const head = input > 0 ? table.indexAt(startMs + Math.min(each, most)) : from;
    const tail = input < inputs.length - 1 ? Math.max(head, table.indexAt(endMs - Math.min(each, most))) : to;
    const place = (index: number) => atMs + table.timeAt(index) - startMs;
    const encoded = (a: number, b: number, fade?: 'in' | 'out'): Piece => ({
      ...{ kind: 'encode', input, fromMs: table.timeAt(a), lengthMs: table.timeAt(b) - table.timeAt(a) },
      ...{ atMs: place(a), fade },
    });
    if (head > from && transition.kind === 'fade') pieces.push(encoded(from, head, 'in'));
    if (head > from && transition.kind === 'crossfade') lengthenBlend(pieces, startMs, table.timeAt(head) - startMs);
    for (const { kind, a, b } of bodyOf(table, head, tail)) {
      if (kind === 'encode') pieces.push(encoded(a, b));
      else {
        const lengthMs = table.timeAt(b) - table.timeAt(a);
        pieces.push({ kind, input, from: a, frames: b - a, fromMs: table.timeAt(a), lengthMs, atMs: place(a) });
      }
    }
    if (tail < to && transition.kind === 'fade') pieces.push(encoded(tail, to, 'out'));
    if (tail < to && transition.kind === 'crossfade') {
      const blend = { fromMs: table.timeAt(tail), nextFromMs: 0, lengthMs: endMs - table.timeAt(tail) };
      pieces.push({ kind: 'blend', input, ...blend, atMs: place(tail) });
    }
    stretches.push({ atMs, fromMs: startMs, lengthMs: endMs - startMs });
    atMs = transition.kind === 'crossfade' && tail < to ? place(tail) : atMs + endMs - startMs;
  }
  const last = stretches.at(-1);
  const encodedMs = pieces.reduce((sum, piece) => sum + (piece.kind === 'copy' ? 0 : piece.lengthMs), 0);
  return { pieces, stretches, lengthMs: last === undefined ? 0 : last.atMs + last.lengthMs, encodedMs };
}

/** Pictures of the trimmed part: from `from` to in front of `to`. */
export function rangeOf(table: FrameTable, trim: JoinInput['trim']): { readonly from: number; readonly to: number } {
  if (trim === null) return { from: 0, to: table.length };
  return { from: table.indexAt(trim.start_ms), to: table.indexAt(trim.end_ms) };
}

/** A blend lasts as long as the beginning of the next input that it covers, so that what follows it follows at once. */
function lengthenBlend(pieces: Piece[], nextFromMs: number, lengthMs: number): void {
  const blend = pieces.at(-1);
  if (blend?.kind !== 'blend') throw new Error('expected the crossfade of the input before');
  pieces[pieces.length - 1] = { ...blend, nextFromMs, lengthMs };
}

/** Pictures `a` to in front of `b`: as much as can be by copy, the rest at its ends encoded. */
function bodyOf(
  table: FrameTable,
  a: number,
  b: number,
): readonly { readonly kind: 'copy' | 'encode'; readonly a: number; readonly b: number }[] {
  if (b <= a) return [];
  const start = table.startFrom(a);
  const end = table.canEnd(b) ? b : table.startBefore(b);
  if (start === undefined || end === undefined || end <= start) return [{ kind: 'encode', a, b }];
  return [
    ...(start > a ? [{ kind: 'encode' as const, a, b: start }] : []),
    { kind: 'copy', a: start, b: end },
    ...(end < b ? [{ kind: 'encode' as const, a: end, b }] : []),
  ];
}
