/**
 * What the inputs of a composition are brought to, from what was read of each: the pictures of the largest group that can be joined
 * by copy, and one loudness. Pure, so that the same facts give the same plan.
 */
import type { JoinTarget, ResultOf } from '@millrace/api';
import type { ComposeRequest } from './compose-request.ts';

export type Inspected = ResultOf<'inspect'>;

/** A difference of loudness that nobody hears (EBU R128 allows as much), dB. */
const toleranceDb = 0.5;
/** Highest sample that a gain may make, dBFS. */
const ceilingDbfs = -1;

/** The format that all inputs are brought to, and which of them are not in it. `inputs` are in playing order. */
export function planTarget(
  request: Pick<ComposeRequest, 'target'>,
  inputs: readonly Inspected[],
): { readonly target: JoinTarget; readonly odd: readonly boolean[] } {
  const wished = request.target;
  const fitting = inputs.filter(
    ({ joinable, media: { video } }) =>
      joinable &&
      video !== null &&
      (wished === null ||
        (video.width === wished.width &&
          video.height === wished.height &&
          (wished.frames_per_second === null || Math.abs(video.frames_per_second - wished.frames_per_second) < 0.01))),
  );
  const leader = mostCommon(fitting, ({ fingerprint }) => fingerprint);
  const model = leader ?? mostCommon(inputs, ({ media: { video } }) => `${video?.width}x${video?.height}`);
  const video = model?.media.video;
  if (video === undefined || video === null) throw new Error('expected inputs with pictures, got none');
  const rated = mostCommon(inputs, (input) => String(input.media.video?.frames_per_second))?.media.video;
  const sounding = inputs.filter((input) => input.media.audio !== null);
  const audio = mostCommon(sounding, ({ media: { audio: one } }) => `${one?.sample_rate} ${one?.channels}`)?.media
    .audio;
  const target: JoinTarget = {
    width: leader === undefined ? (wished?.width ?? even(video.width)) : video.width,
    height: leader === undefined ? (wished?.height ?? even(video.height)) : video.height,
    frames_per_second:
      leader === undefined
        ? (wished?.frames_per_second ?? Math.min(120, rated?.frames_per_second ?? 30))
        : video.frames_per_second,
    profile: leader === undefined ? 'high' : profileOf(video.profile),
    sample_rate: audio?.sample_rate === 44_100 ? 44_100 : 48_000,
    channels: audio?.channels === 1 ? 1 : 2,
    sets_id: freeSetsId(leader?.sets_ids ?? []),
  };
  return { target, odd: inputs.map((input) => !input.joinable || input.fingerprint !== leader?.fingerprint) };
}

/**
 * Gains that make all inputs equally loud, none where the difference is not heard: those are copied. Silent inputs have none. The common
 * loudness is that of the inputs that are alike and last at least half of the time, so that most is copied, or else the mean over the
 * lengths; a little less where one of the inputs would clip.
 */
export function planGains(inputs: readonly Inspected[]): readonly number[] {
  const heard = inputs.flatMap(({ loudness_lufs: lufs, peak_dbfs: peak, length_ms: lengthMs }) =>
    lufs === null ? [] : [{ lufs, highest: lufs + ceilingDbfs - (peak ?? 0), lengthMs }],
  );
  const totalMs = sumOf(heard);
  if (totalMs <= 0) return inputs.map(() => 0);
  const mean = heard.reduce((sum, { lufs, lengthMs }) => sum + lufs * (lengthMs / totalMs), 0);
  const near = (lufs: number) => heard.filter((one) => Math.abs(one.lufs - lufs) <= toleranceDb);
  // of equally long ones the quieter, which no other clips at
  const leader = [...heard].sort((a, b) => sumOf(near(b.lufs)) - sumOf(near(a.lufs)) || a.lufs - b.lufs)[0];
  const wanted = leader !== undefined && sumOf(near(leader.lufs)) * 2 >= totalMs ? leader.lufs : mean;
  const reachable = heard.filter(({ lufs }) => lufs < wanted - toleranceDb);
  const common = Math.min(wanted, ...reachable.map(({ highest }) => Math.max(highest, wanted - 6)));
  return inputs.map(({ loudness_lufs: lufs, peak_dbfs: peak }) => {
    if (lufs === null || Math.abs(common - lufs) <= toleranceDb) return 0;
    const headroom = ceilingDbfs - (peak ?? 0);
    return Math.round(Math.min(common - lufs, Math.max(0, headroom)) * 100) / 100;
  });
}

/** How much of the joined sound is encoded, as far as the facts of the files say it, ms. */
export function encodedSoundMs(
  transition: ComposeRequest['transition'],
  inputs: readonly Inspected[],
  target: Pick<JoinTarget, 'sample_rate' | 'channels'>,
  odd: readonly boolean[],
  gains: readonly number[],
): number {
  if (inputs.every((input) => input.media.audio === null)) return 0;
  if (transition.kind !== 'cut') return sumOf(inputs.map(({ length_ms: lengthMs }) => ({ lengthMs })));
  const formatOf = (i: number) => {
    const audio = inputs[i]?.media.audio;
    if (odd[i] === true) return formatText('aac', target.sample_rate, target.channels);
    return audio && formatText(audio.codec, audio.sample_rate, audio.channels);
  };
  const [model, aac] = [formatOf(0), formatText('aac', target.sample_rate, target.channels)];
  const alike = model?.startsWith('aac ') === true && inputs.every((_, i) => formatOf(i) === model);
  if (alike && gains.every((gain, i) => gain === 0 || odd[i] === true)) return 0;
  const encoded = inputs.filter((input, i) => {
    return odd[i] !== true && input.media.audio !== null && (gains[i] !== 0 || formatOf(i) !== aac);
  });
  return sumOf(encoded.map(({ length_ms: lengthMs }) => ({ lengthMs })));
}

function formatText(codec: string, rate: number, channels: number): string {
  return `${codec} ${rate} ${channels}`;
}

function sumOf(all: readonly { readonly lengthMs: number }[]): number {
  return all.reduce((sum, { lengthMs }) => sum + lengthMs, 0);
}

/** The first of the inputs that agree most often; of equally many those that last longest, then those that come first. */
function mostCommon<T extends Inspected>(inputs: readonly T[], keyOf: (input: T) => string): T | undefined {
  const groups = new Map<string, { readonly first: T; count: number; lengthMs: number }>();
  for (const input of inputs) {
    const group = groups.get(keyOf(input)) ?? { first: input, count: 0, lengthMs: 0 };
    group.count++;
    group.lengthMs += input.length_ms;
    groups.set(keyOf(input), group);
  }
  let best: { readonly first: T; readonly count: number; readonly lengthMs: number } | undefined;
  for (const group of groups.values()) {
    const more = best === undefined || group.count > best.count;
    if (more || (group.count === best?.count && group.lengthMs > best.lengthMs)) best = group;
  }
  return best?.first;
}

/** Encoded pictures have to be of the profile of those that are copied; an input of another one is not joinable. */
function profileOf(profile: string | null): JoinTarget['profile'] {
  if (profile === 'High') return 'high';
  return profile === 'Main' ? 'main' : 'baseline';
}

/** The highest id that is free with the one below; an input that leaves none is not joinable. */
function freeSetsId(taken: readonly number[]): number {
  let id = 31;
  while (id > 1 && (taken.includes(id) || taken.includes(id - 1))) id--;
  return id;
}

function even(side: number): number {
  return Math.max(2, Math.floor(side / 2) * 2);
}
