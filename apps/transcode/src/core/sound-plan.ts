/**
 * How the sound of a join is put together: AAC packets on one grid that begins with the output. Packets are copied where an input has
 * what the output is to have, and encoded elsewhere, in spans of which each can be made, kept and lost without the others. Pure.
 */
import type { JoinTarget } from '@millrace/api';
import type { Stretch, Transition } from './join-plan.ts';

/** Samples of one AAC packet. */
export const packetSamples = 1_024;

/** AAC of one input, as its packets say. */
export interface AacPackets {
  readonly stream: number;
  readonly rate: number;
  readonly channels: number;
  /** When each is heard, ms from the start of the file. */
  readonly timesMs: readonly number[];
}

export interface SoundSource {
  readonly stretch: Stretch;
  /** Undefined: it cannot be copied. */
  readonly aac: AacPackets | undefined;
  readonly audible: boolean;
  readonly gainDb: number;
  /** A decoder that begins anywhere in it gives the same samples as one that began at its start. */
  readonly seekable: boolean;
}

export type SoundSection =
  /** `count` packets of an input from `first` on, then `silent` ones without a sound. */
  | {
      readonly kind: 'copy';
      readonly input: number;
      readonly first: number;
      readonly count: number;
      readonly silent: number;
    }
  /** Packets of the output: `from` to in front of `to`. */
  | { readonly kind: 'encode'; readonly from: number; readonly to: number };

export interface SoundPlan {
  readonly rate: number;
  readonly channels: number;
  /** In playing order, without holes. */
  readonly sections: readonly SoundSection[];
  /** Of the whole; the last packet may hold more. */
  readonly samples: number;
}

/** Packets that may be missing at the end of an input's pictures before its sound is no longer copied. */
const mostMissing = 3;

/** Plans the sound of inputs in playing order; undefined: none of them has any. */
export function planSound(
  sources: readonly SoundSource[],
  transition: Transition,
  target: Pick<JoinTarget, 'sample_rate' | 'channels'>,
): SoundPlan | undefined {
  if (!sources.some((source) => source.audible)) return undefined;
  const model = sources[0]?.aac;
  const same = model === undefined ? undefined : planOf(sources, transition, model.rate, model.channels);
  if (same?.sections.every((section) => section.kind === 'copy' && section.count > 0)) return same;
  return planOf(sources, transition, target.sample_rate, target.channels);
}

function planOf(sources: readonly SoundSource[], transition: Transition, rate: number, channels: number): SoundPlan {
  const last = sources.at(-1)?.stretch;
  const samples = last === undefined ? 0 : Math.round(((last.atMs + last.lengthMs) * rate) / 1_000);
  const total = Math.ceil(samples / packetSamples);
  const all: SoundSection = { kind: 'encode', from: 0, to: total };
  if (transition.kind !== 'cut') return { rate, channels, samples, sections: [all] };
  const sections: SoundSection[] = [];
  let at = 0;
  for (const [input, source] of sources.entries()) {
    const { stretch, audible, gainDb } = source;
    const endMs = stretch.atMs + stretch.lengthMs;
    const end = input === sources.length - 1 ? total : Math.round((endMs * rate) / 1_000 / packetSamples);
    const before = sections.at(-1);
    const copied = gainDb === 0 ? copyOf(source, input, at, end - at, rate, channels) : undefined;
    if (copied !== undefined) sections.push(copied);
    else if (!audible) sections.push({ kind: 'copy', input, first: 0, count: 0, silent: end - at });
    else if (before?.kind === 'encode') sections[sections.length - 1] = { ...before, to: end };
    else sections.push({ kind: 'encode', from: at, to: end });
    at = end;
  }
  return { rate, channels, samples, sections };
}

/** The packets of an input that take `needed` places from place `at` on, never further from its pictures than a packet. */
function copyOf(
  { stretch, aac }: SoundSource,
  input: number,
  at: number,
  needed: number,
  rate: number,
  channels: number,
): SoundSection | undefined {
  if (aac === undefined || aac.rate !== rate || aac.channels !== channels) return undefined;
  const packetMs = (packetSamples * 1_000) / rate;
  // the packet whose sound begins nearest to where the output is by now
  const wantedMs = stretch.fromMs + at * packetMs - stretch.atMs;
  const first = aac.timesMs.findIndex((time) => time >= wantedMs - packetMs / 2);
  if (first === -1 || (aac.timesMs[first] ?? 0) > wantedMs + packetMs / 2 + 1) return undefined;
  const count = Math.min(needed, aac.timesMs.length - first);
  if (needed - count > mostMissing || !isSteady(aac, first, count, packetMs / 2)) return undefined;
  return { kind: 'copy', input, first, count, silent: needed - count };
}

/** Without holes: copied packets follow each other at once, whatever times they had. */
export function isSteady({ timesMs, rate }: AacPackets, first: number, count: number, graceMs: number): boolean {
  const startMs = timesMs[first] ?? 0;
  for (let i = 1; i < count; i++) {
    const dueMs = startMs + (i * packetSamples * 1_000) / rate;
    if (Math.abs((timesMs[first + i] ?? 0) - dueMs) > graceMs) return false;
  }
  return true;
}

/** Packets of the output, `from` to in front of `to`, that are encoded in one go. */
export interface SoundSpan {
  readonly from: number;
  readonly to: number;
}

/**
 * The spans of all that is encoded, in playing order, none longer than `spanMs` but for an input that cannot be entered in its middle: that
 * is in one of them whole.
 */
export function spansOf(
  { sections, rate }: SoundPlan,
  sources: readonly SoundSource[],
  spanMs: number,
): readonly SoundSpan[] {
  const mostPackets = Math.max(1, Math.floor((spanMs * rate) / 1_000 / packetSamples));
  const starts = sources.map(({ stretch }) => Math.round((stretch.atMs * rate) / 1_000 / packetSamples));
  return sections.flatMap((section): readonly SoundSpan[] => {
    if (section.kind === 'copy') return [];
    const spans: SoundSpan[] = [];
    for (const [input, start] of starts.entries()) {
      const from = Math.max(section.from, start);
      const to = Math.min(section.to, starts[input + 1] ?? section.to);
      if (to <= from) continue;
      const before = spans.at(-1);
      if (before !== undefined && to - before.from <= mostPackets) spans[spans.length - 1] = { ...before, to };
      else spans.push(...equalSpans(from, to, sources[input]?.seekable === true ? mostPackets : to - from));
    }
    return spans;
  });
}

/** Equally long, so that none is hardly worth its start. */
function equalSpans(from: number, to: number, mostPackets: number): readonly SoundSpan[] {
  const count = Math.ceil((to - from) / mostPackets);
  const cut = (i: number) => from + Math.round(((to - from) * i) / count);
  return Array.from({ length: count }, (_, i) => ({ from: cut(i), to: cut(i + 1) }));
}

/**
 * An encoder is given a little of what is in front of a span, so that by its beginning it decides as the one in front did, and a little of
 * what follows, since it looks ahead. Packets; what it makes of them is not kept.
 */
const [packetsBefore, packetsBehind] = [16, 3];

/** What the encoder of a span is given, samples of the output, and which of its packets are the span's. */
export interface SpanFeed {
  readonly fromSample: number;
  readonly toSample: number;
  /** Packets that come before the span's first. */
  readonly skip: number;
}

/**
 * The encoder begins with a packet of its own, so its packets are one late; at the beginning of the output that one takes the place of the
 * first samples. So nothing is early or late.
 */
export function feedOf({ from, to }: SoundSpan): SpanFeed {
  const first = Math.max(1, from - packetsBefore);
  return {
    ...{ fromSample: first * packetSamples, toSample: (to + packetsBehind) * packetSamples },
    skip: from - first + 1,
  };
}
