/** Warnings of a health sample: a stable code, and a text that says what to change in the encoder. */

/** What the warnings are judged by; times in ms. */
export interface HealthFigures {
  readonly liveForMs: number;
  /** Since the last frame of a track; undefined when none ever came. */
  readonly videoIdleMs: number | undefined;
  readonly audioIdleMs: number | undefined;
  readonly keyframeIntervalMs: number | undefined;
  readonly avDriftMs: number | undefined;
  /** Jumps of timestamps in this sample. */
  readonly gapsNow: number;
  /** Bits per second of the last samples, oldest first. */
  readonly ratesBps: readonly number[];
  /** A codec or configuration that is not taken. */
  readonly problem: string | undefined;
}

export interface Warning {
  readonly code:
    | 'keyframe-interval'
    | 'unsupported-codec'
    | 'no-video'
    | 'no-audio'
    | 'bitrate-unstable'
    | 'timestamps-jump'
    | 'av-drift';
  readonly message: string;
}

/** Viewers wait for a keyframe, and a segment starts at one: longer than this costs latency. */
const longestKeyframeIntervalMs = 4_200;
const shortestKeyframeIntervalMs = 450;
/** A track that was silent for this long is missing. */
const missingAfterMs = 3_000;
const worstDriftMs = 300;
/** Coefficient of variation of the per-second bit rates beyond which the connection is called unstable. */
const worstVariation = 0.5;
const samplesToJudge = 8;

/** The warnings that these figures give, worst first. */
export function warningsOf(figures: HealthFigures): readonly Warning[] {
  const warnings: Warning[] = [];
  const warn = (code: Warning['code'], message: string) => warnings.push({ code, message });
  if (figures.problem !== undefined) {
    warn('unsupported-codec', `${figures.problem} cannot be shown: set the encoder to H.264 video and AAC audio`);
  }
  if (isMissing(figures.videoIdleMs, figures.liveForMs)) {
    warn('no-video', 'no video arrives: check that the encoder sends a video track');
  }
  if (isMissing(figures.audioIdleMs, figures.liveForMs)) {
    warn('no-audio', 'no audio arrives: add an audio source in the encoder if viewers should hear something');
  }
  const interval = figures.keyframeIntervalMs;
  if (interval !== undefined && interval > longestKeyframeIntervalMs) {
    warn('keyframe-interval', `keyframe interval is ${seconds(interval)} s: set 2 s in OBS, Output`);
  } else if (interval !== undefined && interval < shortestKeyframeIntervalMs) {
    warn(
      'keyframe-interval',
      `keyframe interval is ${seconds(interval)} s, which wastes bit rate: set 2 s in OBS, Output`,
    );
  }
  if (figures.gapsNow > 0) {
    const times = figures.gapsNow === 1 ? 'once' : `${figures.gapsNow} times`;
    warn(
      'timestamps-jump',
      `timestamps jumped ${times} in the last second: the encoder or a source in it restarts its clock`,
    );
  }
  const drift = figures.avDriftMs;
  if (drift !== undefined && Math.abs(drift) > worstDriftMs) {
    const text = `audio is ${seconds(Math.abs(drift))} s ${drift > 0 ? 'ahead of' : 'behind'} video`;
    warn('av-drift', `${text}: check the sync offset of the audio source in the encoder`);
  }
  const variation = variationOf(figures.ratesBps);
  if (variation !== undefined && variation > worstVariation) {
    warn(
      'bitrate-unstable',
      'the bit rate goes up and down: the upload may be too slow, try a lower bit rate or a cable',
    );
  }
  return warnings;
}

function isMissing(idleMs: number | undefined, liveForMs: number): boolean {
  return (idleMs ?? liveForMs) > missingAfterMs;
}

function variationOf(rates: readonly number[]): number | undefined {
  if (rates.length < samplesToJudge) return undefined;
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  if (mean === 0) return undefined;
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length;
  return Math.sqrt(variance) / mean;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}
