export {
  LiveEdgeController,
  type LiveEdgeControllerOptions,
  type LiveEdgeMode,
  type LivePlayer,
  type TickSource,
} from './controller.ts';
export {
  decideLiveEdge,
  defaultLiveEdgePolicy,
  type LiveEdgeDecision,
  type LiveEdgeHistory,
  type LiveEdgePolicy,
  type LiveObservation,
} from './decision.ts';
export { bufferAheadS, type HlsLike, hlsLivePlayer, type MediaLike, wallClockLatencyS } from './hls-player.ts';
export { hlsLiveSettings } from './hls-settings.ts';
