/** Builders of media sources and a synchronous run of the packager over them, for tests and for profiling. */
import type { MediaTag } from '@millrace/flv';
import type { OpenWindow, WindowState } from '@millrace/handover';
import type { PackagedPart } from './core/packaged-part.ts';
import { type DiscontinuityReason, Packager, type PackagerDrop } from './core/packager.ts';
import type { ScratchSpace } from './core/scratch.ts';

const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** AVCDecoderConfigurationRecord of 1280x720, High, 30 frames a second. */
const avcRecord = hex('0164001fffe1001c6764001facd9405005bb0110000003001000000303c0f183196001000468ebe3cb');
/** The same for another encoder: another picture parameter set. */
export const otherAvcRecord = hex('0164001fffe1001c6764001facd9405005bb0110000003001000000303c0f183196001000468ebecb2');
/** AudioSpecificConfig of AAC-LC, 48 kHz, stereo. */
const aacRecord = hex('1190');
/** 44.1 kHz, stereo. */
const otherAacRecord = hex('1210');

export interface SourceShape {
  readonly durationMs: number;
  readonly startMs?: number;
  readonly frameMs?: number;
  /** Frames from one keyframe to the next. */
  readonly gopFrames?: number;
  readonly bFrames?: boolean;
  readonly video?: boolean;
  readonly audio?: boolean;
  readonly sampleRate?: number;
  readonly frameBytes?: number;
  /** How much earlier or later than its time a video frame is stamped, ms. */
  readonly jitterMs?: (frame: number) => number;
  /** Frames that the encoder dropped. */
  readonly missing?: (frame: number) => boolean;
  readonly missingAudio?: (frame: number) => boolean;
}

/** The tags of an encoder in the order of their timestamps, sequence headers first. */
export function aSource(shape: SourceShape): MediaTag[] {
  const { durationMs, startMs = 0, frameMs = 1_000 / 30, gopFrames = 60, frameBytes = 40 } = shape;
  const rate = shape.sampleRate ?? 48_000;
  const tags: MediaTag[] = [];
  const media: MediaTag[] = [];
  if (shape.video !== false) {
    tags.push({ kind: 'video-config', codec: 'avc', timestampMs: startMs, record: avcRecord });
    for (let i = 0; i * frameMs < durationMs; i++) {
      if (shape.missing?.(i)) continue;
      const keyframe = i % gopFrames === 0;
      const compositionMs = shape.bFrames ? Math.round(keyframe || i % 3 === 0 ? frameMs * 2 : frameMs) : 0;
      const timestampMs = startMs + Math.max(0, Math.round(i * frameMs + (shape.jitterMs?.(i) ?? 0)));
      media.push({ kind: 'video-frame', timestampMs, compositionMs, keyframe, payload: payload(frameBytes, i) });
    }
  }
  if (shape.audio !== false) {
    const record = rate === 44_100 ? otherAacRecord : aacRecord;
    tags.push({ kind: 'audio-config', codec: 'aac', timestampMs: startMs, record });
    for (let i = 0; (i * 1_024_000) / rate < durationMs; i++) {
      if (shape.missingAudio?.(i)) continue;
      const timestampMs = startMs + Math.round((i * 1_024_000) / rate);
      media.push({ kind: 'audio-frame', timestampMs, payload: payload(8, i) });
    }
  }
  return [...tags, ...media.sort((a, b) => a.timestampMs - b.timestampMs)];
}

function payload(bytes: number, index: number): Uint8Array {
  const memory = new Uint8Array(bytes);
  new DataView(memory.buffer).setUint32(0, index);
  return memory;
}

/** What one worker did. */
export interface PackagedRun {
  readonly opens: OpenWindow['settings'][];
  readonly parts: PackagedPart[];
  readonly drops: Map<PackagerDrop, number>;
  readonly discontinuities: DiscontinuityReason[];
  silence: number;
}

/** Runs one worker over `tags`; `stateOf` answers its opens (default: a fresh window each time, numbers going on). */
export function packageAll(
  tags: readonly MediaTag[],
  options: {
    readonly latencyMode?: 'low' | 'standard';
    readonly flush?: boolean;
    readonly originTimestampMs?: number;
    readonly stateOf?: (settings: OpenWindow['settings'], renditions: OpenWindow['renditions']) => WindowState;
    /** Tags between an open and its answer. */
    readonly openDelay?: number;
  } = {},
): PackagedRun {
  const run: PackagedRun = { opens: [], parts: [], drops: new Map(), discontinuities: [], silence: 0 };
  const pending: { state: WindowState; due: number }[] = [];
  let settings: OpenWindow['settings'] | undefined;
  let at = 0;
  const packager = new Packager(
    {
      latencyMode: options.latencyMode ?? 'low',
      originWallMs: 1_700_000_000_000,
      originTimestampMs: options.originTimestampMs ?? tags[0]?.timestampMs ?? 0,
      firstTimestampMs: tags[0]?.timestampMs ?? 0,
    },
    {
      open(asked, renditions) {
        settings ??= asked;
        run.opens.push(asked);
        const next = Math.max(0, ...run.parts.map((part) => part.segment + 1));
        const state = options.stateOf?.(asked, renditions) ?? {
          settings,
          fresh: true,
          renditions: renditions.map(({ name }) => ({
            name,
            next: { segment: next, part: 0 },
            nextDts: undefined,
            segments: [],
          })),
        };
        pending.push({ state, due: at + (options.openDelay ?? 0) });
      },
      part: (part) => void run.parts.push(part),
      dropped: (reason) => void run.drops.set(reason, (run.drops.get(reason) ?? 0) + 1),
      discontinuity: (reason) => void run.discontinuities.push(reason),
      silence: () => void run.silence++,
    },
  );
  const answer = () => {
    for (let next = pending[0]; next !== undefined && next.due <= at; next = pending[0]) {
      pending.shift();
      packager.opened(next.state);
    }
  };
  for (const tag of tags) {
    packager.tag(tag, 1_700_000_000_000 + at);
    answer();
    at++;
  }
  if (options.flush !== false) packager.flush();
  at = Number.POSITIVE_INFINITY;
  answer();
  return run;
}

/** Scratch space that is only counted: `left` are the folders that were not removed. */
export function createMemoryScratch(): ScratchSpace & { readonly left: ReadonlyMap<string, number>; free: number } {
  const left = new Map<string, number>();
  return {
    left,
    free: Number.MAX_SAFE_INTEGER,
    async open(lease) {
      if (left.has(lease)) throw new Error(`${lease} is open already`);
      left.set(lease, 0);
      return { path: `/scratch/${lease}`, remove: async () => void left.delete(lease) };
    },
    measure: async () => new Map(left),
    async freeBytes() {
      return this.free;
    },
  };
}
