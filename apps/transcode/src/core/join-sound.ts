/** The sound of a join: one track that is exactly as long as the pictures, each input at its place to the sample. Pure. */
import type { JoinTarget } from '@millrace/api';
import type { Stretch, Transition } from './join-plan.ts';

export interface SoundInput extends Stretch {
  /** Index of its audio stream; undefined: silence. */
  readonly stream: number | undefined;
  readonly gainDb: number;
}

/** Samples that the AAC encoder puts in front; see `audio-task`. */
const primingSamples = 1_024;
/** Samples of one AAC frame. */
export const frameSamples = 1_024;

/** Filter graph over inputs that are opened at the start of their stretch; its output is `[sound]`. */
export function soundGraph(inputs: readonly SoundInput[], transition: Transition, target: JoinTarget): string {
  const { sample_rate: rate, channels } = target;
  const layout = channels === 1 ? 'mono' : 'stereo';
  const samples = (ms: number) => Math.round((ms * rate) / 1_000);
  const ends = inputs.map((input) => input.atMs + input.lengthMs);
  const chains = inputs.map((input, i) => {
    const count = samples(ends[i] ?? 0) - samples(input.atMs);
    const cut = `atrim=end_sample=${count},asetpts=N/SR/TB`;
    if (input.stream === undefined) return `anullsrc=r=${rate}:cl=${layout},${cut}[s${i}]`;
    const fades = transition.kind === 'fade' ? fadesOf(input, i, inputs.length, transition.duration_ms / 2) : [];
    return [
      `[${i}:${input.stream}]aresample=${rate}:async=1:min_hard_comp=0.1:first_pts=0`,
      `aformat=sample_fmts=fltp:channel_layouts=${layout}`,
      ...(input.gainDb === 0 ? [] : [`volume=${input.gainDb}dB`]),
      ...['apad', cut, ...fades],
    ]
      .join(',')
      .concat(`[s${i}]`);
  });
  // The encoder's own beginning takes the place of the first samples, so nothing is early or late.
  const primed = `atrim=start_sample=${primingSamples},asetpts=N/SR/TB+${primingSamples}/SR/TB[sound]`;
  if (transition.kind !== 'crossfade') {
    const all = inputs.map((_, i) => `[s${i}]`).join('');
    return [...chains, `${all}concat=n=${inputs.length}:v=0:a=1,${primed}`].join(';');
  }
  const crossed = inputs.slice(1).map((input, i) => {
    const overlap = samples(ends[i] ?? 0) - samples(input.atMs);
    const before = i === 0 ? '[s0]' : `[x${i}]`;
    return `${before}[s${i + 1}]acrossfade=ns=${Math.max(1, overlap)}:c1=tri:c2=tri[x${i + 1}]`;
  });
  return [...chains, ...crossed, `[x${inputs.length - 1}]${primed}`].join(';');
}

function fadesOf({ lengthMs }: SoundInput, at: number, count: number, eachMs: number): readonly string[] {
  const each = Math.min(eachMs, lengthMs / 2);
  const seconds = (each / 1_000).toFixed(6);
  return [
    ...(at > 0 ? [`afade=t=in:st=0:d=${seconds}`] : []),
    ...(at < count - 1 ? [`afade=t=out:st=${((lengthMs - each) / 1_000).toFixed(6)}:d=${seconds}`] : []),
  ];
}

/** AAC of one input, as its packets say. */
export interface AacPackets {
  readonly stream: number;
  readonly rate: number;
  readonly channels: number;
  /** When each is heard, ms from the start of the file. */
  readonly timesMs: readonly number[];
}

/** Packets of one input that are copied, and how many silent ones follow them. */
export interface PacketRange {
  readonly first: number;
  readonly count: number;
  readonly silent: number;
}

/** Packets that may be missing at the end of an input's pictures before its sound is no longer copied. */
const mostMissing = 3;

/**
 * Which packets of each input are copied so that the sound is never further from its pictures than a packet, however many inputs
 * there are; undefined: they cannot be, and the sound has to be encoded.
 */
export function planPackets(
  inputs: readonly { readonly stretch: Stretch; readonly aac: AacPackets | undefined }[],
): readonly PacketRange[] | undefined {
  const model = inputs[0]?.aac;
  if (model === undefined) return undefined;
  const packetMs = (frameSamples * 1_000) / model.rate;
  const ranges: PacketRange[] = [];
  let sent = 0;
  for (const { stretch, aac } of inputs) {
    if (aac === undefined || aac.rate !== model.rate || aac.channels !== model.channels) return undefined;
    // The packet whose sound begins nearest to where the output is by now.
    const wantedMs = stretch.fromMs + sent * packetMs - stretch.atMs;
    const first = aac.timesMs.findIndex((time) => time >= wantedMs - packetMs / 2);
    if (first === -1 || (aac.timesMs[first] ?? 0) > wantedMs + packetMs / 2 + 1) return undefined;
    const needed = Math.round((stretch.atMs + stretch.lengthMs) / packetMs) - sent;
    const count = Math.min(needed, aac.timesMs.length - first);
    if (needed - count > mostMissing || !isSteady(aac.timesMs, first, count, packetMs)) return undefined;
    ranges.push({ first, count, silent: needed - count });
    sent += needed;
  }
  return ranges;
}

/** Without holes: copied packets follow each other at once, whatever times they had. */
function isSteady(timesMs: readonly number[], first: number, count: number, packetMs: number): boolean {
  const startMs = timesMs[first] ?? 0;
  for (let i = 1; i < count; i++) {
    if (Math.abs((timesMs[first + i] ?? 0) - startMs - i * packetMs) > packetMs / 2) return false;
  }
  return true;
}
