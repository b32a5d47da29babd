export type {
  DashAudio,
  DashCaptions,
  DashPresentation,
  DashSegment,
  DashTrack,
  DashVideo,
} from './presentation-view.ts';
export { renderPresentation } from './render-presentation.ts';
