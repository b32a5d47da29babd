/** How this worker encodes: the same on all workers, or spans of one rung differ. */
export interface EncoderSettings {
  /** x264 preset: `veryfast`. */
  readonly preset: string;
  /** Constant rate factor, below which the rung's bit rate is the limit: less is better and larger. */
  readonly crf: number;
  /** Threads of one ffmpeg; 0: as many as it finds right. */
  readonly threads: number;
  readonly niceness: number;
  /** AAC, bit/s of two channels. */
  readonly audioBitsPerSecond: number;
}

export const defaultEncoder: EncoderSettings = {
  preset: 'veryfast',
  crf: 22,
  threads: 0,
  niceness: 10,
  audioBitsPerSecond: 128_000,
};
