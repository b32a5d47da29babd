/** The sound of a join before it is encoded: each input at its place to the sample. Pure. */
import type { JoinTarget } from '@millrace/api';
import type { Stretch, Transition } from './join-plan.ts';

export interface SoundInput extends Stretch {
  /** Index of its audio stream; undefined: silence. */
  readonly stream: number | undefined;
  readonly gainDb: number;
  /** See `SoundSource`. */
  readonly seekable: boolean;
}

export interface SoundGraph {
  /** Inputs to open in this order, each where its file is to be entered, ms. */
  readonly opened: readonly { readonly input: number; readonly fromMs: number }[];
  /** Its output is `[sound]`. */
  readonly graph: string;
}

/** An input is entered this long before what is wanted of it, so that its decoder has begun by then, s. */
const runUpS = 0.25;

/** ffmpeg's name of its channels. */
export function layoutOf({ channels }: Pick<JoinTarget, 'channels'>): 'mono' | 'stereo' {
  return channels === 1 ? 'mono' : 'stereo';
}

/** How it is encoded. */
export function joinSoundArgs({ channels }: Pick<JoinTarget, 'channels'>): readonly string[] {
  return ['-c:a', 'aac', '-b:a', channels === 1 ? '96k' : '160k', '-ac', String(channels)];
}

/** Filter graph of the samples `fromSample` to in front of `toSample` of the output; silence behind its end. */
export function soundGraph(
  inputs: readonly SoundInput[],
  transition: Transition,
  target: Pick<JoinTarget, 'sample_rate' | 'channels'>,
  { fromSample, toSample }: { readonly fromSample: number; readonly toSample: number },
): SoundGraph {
  const { sample_rate: rate } = target;
  const layout = layoutOf(target);
  const samples = (ms: number) => Math.round((ms * rate) / 1_000);
  const places = inputs.map(({ atMs, lengthMs }) => ({ at: samples(atMs), end: samples(atMs + lengthMs) }));
  const placeOf = (index: number) => places[index] ?? { at: 0, end: 0 };
  const first = Math.max(
    0,
    places.findIndex(({ end }) => end > fromSample),
  );
  const last = Math.max(
    first,
    places.findLastIndex(({ at }) => at < toSample),
  );
  const crosses = transition.kind === 'crossfade';
  const chains: string[] = [];
  const opened: { readonly input: number; readonly fromMs: number }[] = [];
  let startSample = 0;
  for (let i = first; i <= last; i++) {
    const input = inputs[i];
    if (input === undefined) throw new Error(`expected input ${i} of ${inputs.length}`);
    const { at, end } = placeOf(i);
    const fade = transition.kind === 'fade' ? samples(Math.min(transition.duration_ms, input.lengthMs) / 2) : 0;
    const fades = { in: i > 0 ? fade : 0, out: i < inputs.length - 1 ? fade : 0 };
    // whole seconds are whole samples at every rate, so wherever it is entered its samples fall on the same places
    const neededAt = Math.min(fromSample, end - fades.out, crosses && i < last ? placeOf(i + 1).at : end);
    const offsetS = input.seekable ? Math.max(0, Math.floor((neededAt - at) / rate - runUpS)) : 0;
    const entered = offsetS * rate < fades.in ? 0 : offsetS;
    if (i === first) startSample = at + entered * rate;
    const overlap = crosses && i > first ? placeOf(i - 1).end - at : 0;
    const stop = crosses && i < last ? end : Math.min(end, Math.max(toSample, at + overlap));
    const cut = `atrim=end_sample=${stop - at - entered * rate},asetpts=N/SR/TB`;
    // half a millisecond early, so that rounding does not lose the first sample
    opened.push({ input: i, fromMs: (input.fromMs < 1 ? 0 : input.fromMs - 0.5) + entered * 1_000 });
    if (input.stream === undefined) {
      chains.push(`anullsrc=r=${rate}:cl=${layout},${cut}[s${i}]`);
      continue;
    }
    const seconds = (count: number) => (count / rate).toFixed(6);
    const fadeOutAt = end - fades.out - at - entered * rate;
    chains.push(
      [
        `[${i - first}:${input.stream}]aresample=${rate}:async=1:min_hard_comp=0.1:first_pts=0`,
        `aformat=sample_fmts=fltp:channel_layouts=${layout}`,
        ...(input.gainDb === 0 ? [] : [`volume=${input.gainDb}dB`]),
        ...['apad', cut],
        ...(fades.in > 0 && entered === 0 ? [`afade=t=in:st=0:d=${seconds(fades.in)}`] : []),
        ...(fades.out > 0 ? [`afade=t=out:st=${seconds(fadeOutAt)}:d=${seconds(fades.out)}`] : []),
      ]
        .join(',')
        .concat(`[s${i}]`),
    );
  }
  const wanted = `apad,atrim=start_sample=${fromSample - startSample}:end_sample=${toSample - startSample},asetpts=N/SR/TB[sound]`;
  if (!crosses || first === last) {
    const all = Array.from({ length: last - first + 1 }, (_, n) => `[s${first + n}]`).join('');
    const joined = first === last ? all : `${all}concat=n=${last - first + 1}:v=0:a=1,`;
    return { opened, graph: [...chains, `${joined}${wanted}`].join(';') };
  }
  for (let i = first + 1; i <= last; i++) {
    const overlap = Math.max(1, placeOf(i - 1).end - placeOf(i).at);
    chains.push(`[${i === first + 1 ? 's' : 'x'}${i - 1}][s${i}]acrossfade=ns=${overlap}:c1=tri:c2=tri[x${i}]`);
  }
  return { opened, graph: [...chains, `[x${last}]${wanted}`].join(';') };
}
