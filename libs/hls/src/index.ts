export { type MeasuredSegment, segmentBitRates } from './bit-rates.ts';
export {
  type AwaitedPart,
  advancePartLimit,
  decideReload,
  isReached,
  type PlaylistPosition,
  parseReloadQuery,
  type ReloadDecision,
  type ReloadQuery,
} from './blocking-reload.ts';
export { partListingTargets, renderMediaPlaylist, skippableSegments, writtenPartTargetS } from './media-playlist.ts';
export { renderMultivariantPlaylist } from './multivariant-playlist.ts';
export type {
  AudioRenditionView,
  MediaPlaylistView,
  MultivariantPlaylistView,
  PartView,
  RenditionReportView,
  SegmentView,
  SubtitlesRenditionView,
  VariantView,
  VodPlaylistView,
  VodSegmentView,
} from './playlist-view.ts';
export { renderVodPlaylist, vodTargetDurationS } from './vod-playlist.ts';
