/**
 * Drives a player by the live-edge rule. It leaves the player alone (rate 1, no seek) while it is paused, seeking or
 * ended, while the page is hidden, and while the viewer has gone back in time.
 */
import { decideLiveEdge, defaultLiveEdgePolicy, type LiveEdgeDecision, type LiveEdgePolicy } from './decision.ts';

/** The little that the controller needs of a player. Seconds of media time; `undefined` while not known yet. */
export interface LivePlayer {
  readonly latencyS: number | undefined;
  readonly targetLatencyS: number | undefined;
  /** End of the newest media that is known to exist. */
  readonly edgeS: number | undefined;
  readonly bufferAheadS: number;
  readonly currentTimeS: number;
  readonly paused: boolean;
  readonly seeking: boolean;
  readonly ended: boolean;
  setRate(rate: number): void;
  seek(toS: number): void;
}

/** Time for the controller; `Clock` of @millrace/clock satisfies it, and so does a wrapper of setInterval. */
export interface TickSource {
  monotonicMs(): number;
  every(periodMs: number, callback: () => void): { cancel(): void };
}

export type LiveEdgeMode =
  /** Holding the target latency. */
  | 'following'
  /** The viewer went back in time; nothing is done until they return to the live edge. */
  | 'behind';

export interface LiveEdgeControllerOptions {
  readonly policy?: LiveEdgePolicy;
  readonly periodMs?: number;
  /** Called after each decision that was carried out, for readouts and tests. */
  readonly onDecision?: (decision: LiveEdgeDecision) => void;
}

/** Least time between two seeks of the controller; doubles while seeks do not help, up to the second figure. */
const seekBackoffMs = { first: 3_000, most: 60_000 } as const;
/** How long after the first frame a jump still counts as part of starting. */
const startMs = 1_500;
/** A jump back by more than this that the controller did not make was made by the viewer. */
const viewerSeekBackS = 0.5;

/** Holds one player at its live edge from `start` until `close`. */
export class LiveEdgeController {
  readonly #player: LivePlayer;
  readonly #time: TickSource;
  readonly #options: LiveEdgeControllerOptions;
  #timer: { cancel(): void } | undefined;
  #mode: LiveEdgeMode = 'following';
  #held = false;
  #rate = 1;
  #hurrying = false;
  /** When the player was first seen playing. */
  #startedAtMs: number | undefined;
  #lastTimeS: number | undefined;
  #seekAllowedAtMs = 0;
  #seekWaitMs: number = seekBackoffMs.first;
  #lastFarAtMs = 0;

  constructor(player: LivePlayer, time: TickSource, options: LiveEdgeControllerOptions = {}) {
    this.#player = player;
    this.#time = time;
    this.#options = options;
  }

  get mode(): LiveEdgeMode {
    return this.#mode;
  }

  /** The rate last asked for. */
  get rate(): number {
    return this.#rate;
  }

  start(): void {
    this.#timer ??= this.#time.every(this.#options.periodMs ?? 100, () => this.tick());
  }

  /** Stops and gives the player its normal rate back. Safe to call twice. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#setRate(1);
  }

  /** Stops correcting without stopping the timer: browsers slow the timers of hidden pages down to one a minute. */
  hold(held: boolean): void {
    this.#held = held;
    if (held) this.#setRate(1);
  }

  /** The viewer chose to watch from an earlier point. */
  leaveLive(): void {
    this.#mode = 'behind';
    this.#setRate(1);
  }

  /** The viewer asked for the live edge: seek there now, whatever the distance, if media is there. */
  goLive(): void {
    this.#mode = 'following';
    this.#seekWaitMs = seekBackoffMs.first;
    const { latencyS, targetLatencyS, edgeS, currentTimeS } = this.#player;
    if (latencyS === undefined || targetLatencyS === undefined || edgeS === undefined) return;
    const margin = (this.#options.policy ?? defaultLiveEdgePolicy).seekEdgeMarginS;
    const toS = Math.min(currentTimeS + latencyS - targetLatencyS, edgeS - margin);
    if (toS > currentTimeS) this.#seek(toS);
  }

  /** One step; `start` calls it every period. */
  tick(): void {
    const player = this.#player;
    const { currentTimeS, latencyS, targetLatencyS, edgeS } = player;
    if (player.ended) return this.#setRate(1);
    this.#noticeViewerSeek(currentTimeS, latencyS, targetLatencyS);
    this.#lastTimeS = currentTimeS;
    if (this.#held || player.paused || player.seeking || this.#mode === 'behind') return this.#setRate(1);
    if (latencyS === undefined || targetLatencyS === undefined || edgeS === undefined) return this.#setRate(1);
    const policy = this.#options.policy ?? defaultLiveEdgePolicy;
    const nowMs = this.#time.monotonicMs();
    // Seeks have helped once the player has stayed within reach for as long as the next one would have had to wait.
    if (latencyS - targetLatencyS > policy.seekBeyondS) this.#lastFarAtMs = nowMs;
    else if (nowMs - this.#lastFarAtMs > this.#seekWaitMs) this.#seekWaitMs = seekBackoffMs.first;
    const seen = { latencyS, targetLatencyS, edgeS, currentTimeS, bufferAheadS: player.bufferAheadS };
    this.#startedAtMs ??= nowMs;
    const starting = nowMs - this.#startedAtMs < startMs;
    const history = { maySeek: nowMs >= this.#seekAllowedAtMs, starting, hurrying: this.#hurrying };
    const decision = decideLiveEdge(seen, history, policy);
    this.#hurrying = decision.kind === 'rate' && decision.reason === 'late';
    if (decision.kind === 'seek') this.#seek(decision.toS);
    else this.#setRate(decision.rate);
    this.#options.onDecision?.(decision);
  }

  #seek(toS: number): void {
    const nowMs = this.#time.monotonicMs();
    this.#seekAllowedAtMs = nowMs + this.#seekWaitMs;
    this.#seekWaitMs = Math.min(this.#seekWaitMs * 2, seekBackoffMs.most);
    this.#setRate(1);
    // A browser may refuse a seek; that must not read as the viewer going back.
    this.#lastTimeS = undefined;
    this.#player.seek(toS);
  }

  #noticeViewerSeek(currentTimeS: number, latencyS: number | undefined, targetS: number | undefined): void {
    const policy = this.#options.policy ?? defaultLiveEdgePolicy;
    const errorS = (latencyS ?? Number.NaN) - (targetS ?? Number.NaN);
    if (this.#mode === 'behind') {
      if (errorS <= policy.seekBeyondS / 2) this.#mode = 'following';
    } else if (
      this.#lastTimeS !== undefined &&
      currentTimeS < this.#lastTimeS - viewerSeekBackS &&
      errorS > policy.seekBeyondS
    ) {
      this.#mode = 'behind';
    }
  }

  #setRate(rate: number): void {
    if (rate === this.#rate) return;
    this.#rate = rate;
    this.#player.setRate(rate);
  }
}
