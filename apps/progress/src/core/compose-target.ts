/**
 * What the inputs of a composition are brought to, from what was read of each: the pictures of the largest group that can be joined
 * by copy, and one loudness. Pure, so that the same facts give the same plan.
 */
import type { JoinTarget, ResultOf } from '@millrace/api';
import type { ComposeRequest } from './compose-request.ts';

export type Inspected = ResultOf<'inspect'>;

export interface InputPlan {
  /** Its pictures have to be encoded to join the others'. */
  readonly odd: boolean;
  readonly gainDb: number;
}

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
 * Gains that make all inputs as loud as they are on average over their lengths; a little less where one of them would clip. None
 * where the difference is not heard. Silent inputs have none.
 */
export function planGains(inputs: readonly Inspected[]): readonly number[] {
  const heard = inputs.filter((input) => input.loudness_lufs !== null);
  const totalMs = heard.reduce((sum, input) => sum + input.length_ms, 0);
  if (totalMs <= 0) return inputs.map(() => 0);
  const mean = heard.reduce((sum, input) => sum + (input.loudness_lufs ?? 0) * (input.length_ms / totalMs), 0);
  const highest = heard.map((input) => (input.loudness_lufs ?? 0) + ceilingDbfs - (input.peak_dbfs ?? 0));
  const common = Math.min(mean, ...highest.map((lufs) => Math.max(lufs, mean - 6)));
  const gains = inputs.map(({ loudness_lufs: lufs }) => (lufs === null ? 0 : common - lufs));
  if (gains.every((gain) => Math.abs(gain) <= toleranceDb)) return inputs.map(() => 0);
  return gains.map((gain, i) => {
    const headroom = ceilingDbfs - (inputs[i]?.peak_dbfs ?? 0);
    return Math.round(Math.min(gain, Math.max(0, headroom)) * 100) / 100;
  });
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
