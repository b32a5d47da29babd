/** What a file's header and its packets say, put together into the facts that everybody sees. */
import type { MediaFacts } from '@millrace/api';
import type { ProbedFile, ProbedPacket } from '@millrace/ffmpeg';
import { framesPerSecond, steadyRate } from '@millrace/ladder';

/** Spans begin no closer than this, so nearer keyframes need not be told, ms. */
const keyframeGapMs = 500;
/** Keyframes that are told at most; of more every second one is left out, and again. */
const mostKeyframes = 10_000;

/** Audio that begins so little before the pictures is what its encoder put in front, or not worth a repeated picture, ms. */
const leadMs = 100;

/** Where the timeline of everything that is made of a file is at 0, ms in the file: its first picture, or audio well before that. */
export function originMs({ startMs, video }: Pick<ProbedFile, 'startMs' | 'video'>): number {
  const pictureMs = video?.startMs;
  return pictureMs !== undefined && pictureMs >= startMs && pictureMs - startMs < leadMs ? pictureMs : startMs;
}

/** What the packets of a file say, gathered as they go by. A header can lie about the length of a file; its packets are what there is. */
export class PacketSurvey {
  readonly #file: ProbedFile;
  #keyframes: number[] = [];
  #gapMs = keyframeGapMs;
  #pictures = 0;
  #firstPictureMs = Number.POSITIVE_INFINITY;
  #lastPictureMs = Number.NEGATIVE_INFINITY;
  #pictureEndMs = 0;
  #soundEndMs = 0;

  constructor(file: ProbedFile) {
    this.#file = file;
  }

  /** Where the file ends as far as it has been read, ms from its start. */
  get endMs(): number {
    return Math.max(this.#pictureEndMs, this.#soundEndMs);
  }

  take(packet: ProbedPacket): void {
    const { video, audio } = this.#file;
    if (packet.ptsMs === undefined) return;
    const at = packet.ptsMs - originMs(this.#file);
    const end = at + (packet.durationMs ?? 0);
    if (packet.index === audio?.index) this.#soundEndMs = Math.max(this.#soundEndMs, end);
    if (packet.index !== video?.index) return;
    this.#pictures++;
    this.#firstPictureMs = Math.min(this.#firstPictureMs, at);
    this.#lastPictureMs = Math.max(this.#lastPictureMs, at);
    this.#pictureEndMs = Math.max(this.#pictureEndMs, end);
    if (packet.keyframe) this.#addKeyframe(at);
  }

  /** Times of keyframes in rising order, ms from the start; where there are very many, some of them. */
  get keyframesMs(): readonly number[] {
    return [...this.#keyframes].sort((a, b) => a - b);
  }

  /** Average rate of the pictures, frames/s; 0: too few to tell. */
  get averageRate(): number {
    const lengthMs = this.#lastPictureMs - this.#firstPictureMs;
    return this.#pictures > 1 && lengthMs > 0 ? ((this.#pictures - 1) * 1_000) / lengthMs : 0;
  }

  #addKeyframe(at: number): void {
    if (at < 0 || at < (this.#keyframes.at(-1) ?? Number.NEGATIVE_INFINITY) + this.#gapMs) return;
    this.#keyframes.push(at);
    if (this.#keyframes.length <= mostKeyframes) return;
    this.#keyframes = this.#keyframes.filter((_, i) => i % 2 === 0);
    this.#gapMs *= 2;
  }
}

/** The facts of a file. */
export function mediaFactsOf(file: ProbedFile, survey: PacketSurvey): MediaFacts {
  const { video, audio } = file;
  return {
    container: file.format,
    duration_ms: Math.max(0, Math.round(survey.endMs)),
    size_bytes: file.sizeBytes,
    video:
      video === undefined
        ? null
        : {
            codec: video.codec,
            profile: video.profile ?? null,
            width: video.width,
            height: video.height,
            frames_per_second: framesPerSecond(steadyRate(trustedRate(video.averageRate, survey), video.finestRate)),
            bits_per_second: video.bitsPerSecond ?? null,
            pixel_format: video.pixelFormat,
            rotation: video.rotation,
          },
    audio:
      audio === undefined
        ? null
        : {
            codec: audio.codec,
            profile: audio.profile ?? null,
            channels: audio.channels,
            sample_rate: audio.sampleRate,
            bits_per_second: audio.bitsPerSecond ?? null,
            language: audio.language ?? null,
          },
  };
}

/** What the header says, which is exact, unless the packets say something quite different. */
function trustedRate(said: number, survey: PacketSurvey): number {
  const seen = survey.averageRate;
  return seen > 0 && (said < seen * 0.7 || said > seen * 1.4) ? seen : said;
}
