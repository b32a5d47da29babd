export { type FfmpegInput, imageFormats, mediaFormats } from './ffmpeg-input.ts';
export type { ProbedAudio, ProbedFile, ProbedVideo } from './probe-answer.ts';
export { type ProbedPacket, type ProbeOptions, probeFile, readPackets } from './probe-file.ts';
export { type FfmpegLimits, type FfmpegRun, runFfmpeg } from './run-ffmpeg.ts';
export type { FfmpegEnd, FfmpegFailure } from './supervised-run.ts';
