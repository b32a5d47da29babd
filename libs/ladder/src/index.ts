export {
  chooseRungs,
  defaultLadder,
  type LadderOptions,
  type LadderRung,
  type LadderSource,
  type RungWish,
} from './choose-rungs.ts';
export { firstFrameOf, frameTicks, segmentStarts, timescaleOf } from './frame-grid.ts';
export { type FrameRate, frameRateOf, framesPerSecond, steadyRate } from './frame-rate.ts';
export { planSpans, type Span, wishedSpanMs } from './plan-spans.ts';
