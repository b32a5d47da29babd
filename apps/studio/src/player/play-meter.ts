/** Measures one playing in a video element, for its CMCD reports. */
import type { LivePlayer } from '@millrace/live-edge';
import type { PageTime } from './browser-time.ts';
import type { PlayMeasures } from './cmcd-lines.ts';
import { type MediaMoment, neverStarved, nextStarvation } from './starvation.ts';

/** The part of an Hls instance that is read. */
interface Levels {
  readonly levels: readonly { readonly bitrate: number }[];
  readonly currentLevel: number;
  readonly maxAutoLevel: number;
  readonly bandwidthEstimate: number;
}

interface PlayMeterDeps {
  readonly video: HTMLVideoElement;
  readonly hls: Levels;
  readonly player: Pick<LivePlayer, 'latencyS'>;
  /** From the packager's clock to the screen, s. */
  readonly wallClockLatencyS: () => number | undefined;
  readonly time: PageTime;
}

/** A wall-clock latency this far above the distance to the edge says that the clocks differ, s. */
const believableLagS = 5;

export class PlayMeter {
  readonly #deps: PlayMeterDeps;
  readonly #startedAtMs: number;
  readonly #abort = new AbortController();
  #starvation = neverStarved;

  constructor(deps: PlayMeterDeps) {
    this.#deps = deps;
    this.#startedAtMs = deps.time.monotonicMs();
    const { video } = deps;
    const { signal } = this.#abort;
    video.addEventListener('playing', () => this.#note('playing'), { signal });
    video.addEventListener('pause', () => this.#note('interfered'), { signal });
    video.addEventListener('seeking', () => this.#note('interfered'), { signal });
    video.addEventListener('waiting', () => !video.seeking && !video.paused && this.#note('waiting'), { signal });
  }

  get started(): boolean {
    return this.#starvation.firstFrameAtMs !== undefined;
  }

  read(): PlayMeasures {
    const { video, hls } = this.#deps;
    const { firstFrameAtMs, count, endedMs, unreportedMs } = this.#starvation;
    const kbps = (level: number) => {
      const bitrate = hls.levels[level]?.bitrate;
      return bitrate === undefined ? undefined : bitrate / 1000;
    };
    return {
      startupMs: firstFrameAtMs === undefined ? undefined : firstFrameAtMs - this.#startedAtMs,
      starvedCount: count,
      // Whole stops only: each rise of the sum is read as one stop that has ended.
      starvedTotalMs: endedMs,
      starvedMs: unreportedMs,
      latencyMs: this.started ? this.#latencyMs() : undefined,
      droppedFrames: this.started ? video.getVideoPlaybackQuality().droppedVideoFrames : undefined,
      playheadKbps: kbps(hls.currentLevel),
      topKbps: kbps(hls.maxAutoLevel),
      throughputKbps: hls.bandwidthEstimate / 1000,
    };
  }

  /** The stop that `read` gave has been reported. */
  reported(): void {
    this.#starvation = { ...this.#starvation, unreportedMs: undefined };
  }

  /** The viewer leaves: a stop that is going on ends with the visit. */
  end(): void {
    this.#note('interfered');
  }

  close(): void {
    this.#abort.abort();
  }

  #note(moment: MediaMoment): void {
    this.#starvation = nextStarvation(this.#starvation, moment, this.#deps.time.monotonicMs());
  }

  /** By the packager's clock where that can be true, else the distance to the edge of the playlist. */
  #latencyMs(): number | undefined {
    const edgeS = this.#deps.player.latencyS;
    const wallS = this.#deps.wallClockLatencyS();
    if (edgeS === undefined) return undefined;
    const lagS = wallS === undefined ? -1 : wallS - edgeS;
    return (lagS >= 0 && lagS < believableLagS && wallS !== undefined ? wallS : edgeS) * 1000;
  }
}
