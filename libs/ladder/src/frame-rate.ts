/** A frame rate as a fraction, frames per `den` seconds: 30000/1001. */
export interface FrameRate {
  readonly num: number;
  readonly den: number;
}

const wholeRates = [5, 8, 10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120];
/** NTSC's: 1000/1001 of these. */
const ntscRates = [24, 30, 48, 60, 120];

const standardRates: readonly FrameRate[] = [
  ...wholeRates.map((num) => ({ num, den: 1 })),
  ...ntscRates.map((rate) => ({ num: rate * 1_000, den: 1_001 })),
];

/** Frames per second. */
export function framesPerSecond(rate: FrameRate): number {
  return rate.num / rate.den;
}

/** The fraction that a number stands for: exact for the rates that video has, the nearest thousandth otherwise. */
export function frameRateOf(framesPerSecond: number): FrameRate {
  const standard = nearest(framesPerSecond);
  // 29.97 stands for 30000/1001, which is 29.97003.
  if (Math.abs(rateOf(standard) - framesPerSecond) < 0.005) return standard;
  const whole = Math.round(framesPerSecond);
  if (whole > 0 && Math.abs(whole - framesPerSecond) < 1e-6) return { num: whole, den: 1 };
  return { num: Math.max(1, Math.round(framesPerSecond * 1_000)), den: 1_000 };
}

/**
 * The constant rate that a source is played at. A steady source keeps its own; one whose timestamps wander (a phone, a recorded
 * screen) takes the standard rate next to its average, upwards, so that few frames are lost and none is invented twice over.
 * @param average over the whole file, 0 when unknown; `finest` what its timestamps need.
 */
export function steadyRate(average: number, finest: number): FrameRate {
  const usable = average > 0 && average <= 1_000 ? average : finest;
  if (!(usable > 0 && usable <= 1_000)) return { num: 25, den: 1 };
  const standard = nearest(usable);
  if (Math.abs(rateOf(standard) / usable - 1) < 0.005) return standard;
  if (finest > 0 && Math.abs(finest / usable - 1) < 0.01) return frameRateOf(usable);
  const above = wholeRates.find((rate) => rate >= usable * 0.99);
  return { num: above ?? 120, den: 1 };
}

function nearest(value: number): FrameRate {
  return standardRates.reduce((best, rate) =>
    Math.abs(rateOf(rate) - value) < Math.abs(rateOf(best) - value) ? rate : best,
  );
}

const rateOf = framesPerSecond;
