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
  VariantView,
} from './playlist-view.ts';
