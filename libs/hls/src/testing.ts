export { checkMediaPlaylist } from './playlist-checker.ts';
export {
  applyDelta,
  type ReadPart,
  type ReadPlaylist,
  type ReadSegment,
  readAttributes,
  readMediaPlaylist,
} from './playlist-reader.ts';
