import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { soundGraph } from './join-sound.ts';
import { feedOf, packetSamples, planSound, type SoundPlan, type SoundSource, spansOf } from './sound-plan.ts';

const rate = 48_000;
const target = { sample_rate: rate, channels: 2 };
const packetMs = (packetSamples * 1_000) / rate;
const cut = { kind: 'cut', duration_ms: 0 } as const;

interface Shape {
  readonly lengthMs: number;
  readonly priming: number;
  readonly gainDb: number;
  readonly sound: 'aac' | 'other' | 'none';
  readonly seekable: boolean;
}
const shape: fc.Arbitrary<Shape> = fc.record({
  lengthMs: fc.integer({ min: 200, max: 200_000 }),
  priming: fc.nat(1),
  gainDb: fc.constantFrom(0, 0, -3),
  sound: fc.constantFrom('aac' as const, 'aac' as const, 'other' as const, 'none' as const),
  seekable: fc.boolean(),
});
const shapes = fc.array(shape, { minLength: 1, maxLength: 12 });

function sourcesOf(all: readonly Shape[], overlapMs = 0): readonly SoundSource[] {
  let atMs = 0;
  return all.map(({ lengthMs, priming, gainDb, sound, seekable }) => {
    const count = Math.ceil(lengthMs / packetMs) + priming;
    const timesMs = Array.from({ length: sound === 'aac' ? count : 0 }, (_, i) => (i - priming) * packetMs);
    const aac = sound === 'aac' ? { stream: 1, rate, channels: 2, timesMs } : undefined;
    const stretch = { atMs, fromMs: 0, lengthMs };
    atMs += lengthMs - overlapMs;
    return { stretch, aac, audible: sound !== 'none', gainDb, seekable: seekable && sound === 'aac' };
  });
}

const packetsOf = (section: SoundPlan['sections'][number]) =>
  section.kind === 'copy' ? section.count + section.silent : section.to - section.from;

describe('the sound of a join', () => {
  it('has every packet once, and only what is changed or unlike is encoded', () => {
    fc.assert(
      fc.property(shapes, (all) => {
        const sources = sourcesOf(all);
        const plan = planSound(sources, cut, target);
        expect(plan === undefined).toBe(all.every(({ sound }) => sound === 'none'));
        if (plan === undefined) return;
        let at = 0;
        for (const section of plan.sections) {
          if (section.kind === 'encode') expect(section.from).toBe(at);
          at += packetsOf(section);
        }
        expect(at).toBe(Math.ceil(plan.samples / packetSamples));
        const encoded = plan.sections.flatMap((one) => (one.kind === 'encode' ? [one] : []));
        for (const { stretch, audible, aac, gainDb } of sources) {
          const middle = (stretch.atMs + stretch.lengthMs / 2) / packetMs;
          const isEncoded = encoded.some(({ from, to }) => from <= middle && middle < to);
          expect(isEncoded).toBe(audible && (aac === undefined || gainDb !== 0));
        }
      }),
    );
  });

  it('is never further from its pictures than a packet where it is copied, however many inputs there are', () => {
    fc.assert(
      fc.property(shapes, (all) => {
        const sources = sourcesOf(all);
        let at = 0;
        for (const section of planSound(sources, cut, target)?.sections ?? []) {
          if (section.kind === 'copy') {
            const { stretch, aac } = sources[section.input] as SoundSource;
            const heardMs = section.count === 0 ? at * packetMs - stretch.atMs : (aac?.timesMs[section.first] ?? 0);
            expect(Math.abs(at * packetMs - stretch.atMs - heardMs)).toBeLessThanOrEqual(packetMs / 2 + 1.001);
            const endMs = (at + packetsOf(section)) * packetMs - stretch.atMs - stretch.lengthMs;
            expect(Math.abs(endMs)).toBeLessThanOrEqual(packetMs + 0.001);
          }
          at += packetsOf(section);
        }
      }),
    );
  });

  it('is encoded in spans that follow each other, and no input that cannot be entered is cut', () => {
    const transition = fc.constantFrom(cut, { kind: 'fade', duration_ms: 400 } as const);
    fc.assert(
      fc.property(shapes, transition, (all, how) => {
        const sources = sourcesOf(all);
        const plan = planSound(sources, how, target);
        if (plan === undefined) return;
        const spans = spansOf(plan, sources, 60_000);
        const encoded = plan.sections.filter((section) => section.kind === 'encode');
        expect(spans.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(
          encoded.reduce((sum, section) => sum + packetsOf(section), 0),
        );
        for (const [i, { from, to }] of spans.entries()) {
          expect(to).toBeGreaterThan(from);
          expect(from).toBeGreaterThanOrEqual(spans[i - 1]?.to ?? 0);
          for (const { stretch, seekable, audible } of sources) {
            const start = stretch.atMs / packetMs;
            const end = (stretch.atMs + stretch.lengthMs) / packetMs;
            if (audible && !seekable) expect(from > start + 1 && from < end - 1).toBe(false);
          }
          if (all.every(({ sound, seekable }) => sound === 'aac' && seekable))
            expect((to - from) * packetMs).toBeLessThanOrEqual(60_000);
        }
      }),
    );
  });

  it('opens for a span the inputs that are heard in it alone, each in front of what is wanted', () => {
    const kinds = fc.constantFrom('cut' as const, 'fade' as const, 'crossfade' as const);
    fc.assert(
      fc.property(shapes, kinds, fc.nat(), (all, kind, pick) => {
        const transition = { kind, duration_ms: kind === 'cut' ? 0 : 150 };
        const sources = sourcesOf(all, kind === 'crossfade' ? 150 : 0);
        const plan = planSound(sources, transition, target);
        if (plan === undefined) return;
        const spans = spansOf(plan, sources, 60_000);
        const span = spans[pick % Math.max(1, spans.length)];
        if (span === undefined) return;
        const feed = feedOf(span);
        const inputs = sources.map(({ stretch, seekable }) => ({ ...stretch, stream: 1, gainDb: 0, seekable }));
        const { opened, graph } = soundGraph(inputs, transition, target, feed);
        const atMs = (sample: number) => (sample * 1_000) / rate;
        for (const [i, { stretch }] of sources.entries()) {
          const heard =
            stretch.atMs + stretch.lengthMs > atMs(feed.fromSample) + 1 && stretch.atMs < atMs(feed.toSample) - 1;
          const found = opened.find(({ input }) => input === i);
          if (heard) expect(found).toBeDefined();
          if (found === undefined) continue;
          expect(found.fromMs % 1_000).toBe(0);
          expect(stretch.atMs + found.fromMs).toBeLessThanOrEqual(Math.max(stretch.atMs, atMs(feed.fromSample)) + 0.1);
          expect(
            Number(/atrim=end_sample=(-?\d+)/.exec(graph.split(';')[i - (opened[0]?.input ?? 0)] ?? '')?.[1]),
          ).toBeGreaterThan(0);
        }
        const [, from, to] = /start_sample=(\d+):end_sample=(\d+)/.exec(graph) ?? [];
        expect(Number(to) - Number(from)).toBe(feed.toSample - feed.fromSample);
      }),
    );
  });
});
