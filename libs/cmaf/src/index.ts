export { type CmafPart, CmafReader, type CmafReaderOptions } from './cmaf-reader.ts';
export { type InitSection, readInitSection, type SampleDefaults } from './init-reader.ts';
export { writeInitSection } from './init-writer.ts';
export type { PartFacts } from './moof-reader.ts';
export { movePart } from './part-move.ts';
export { type PartInput, type PartSample, writePart } from './part-writer.ts';
export type { AudioTrackFormat, CmafError, TrackFormat, VideoTrackFormat } from './track-format.ts';
