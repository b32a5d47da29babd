/**
 * A model of a live player and its origin, in steps of 10 ms: parts are published on time or late, the playhead moves at
 * the rate it was given while there is buffer, and stalls otherwise. Used by the tests; it decides nothing.
 */
import type { LivePlayer, TickSource } from './controller.ts';

export interface SimulationOptions {
  readonly partS: number;
  readonly targetLatencyS: number;
  /** How much further behind than its target the player starts. */
  readonly startDelayS: number;
  /** Lateness of part `index` at the player, seconds. */
  readonly partDelayS?: (index: number) => number;
}

const stepMs = 10;

export class SimulatedPlayer implements LivePlayer, TickSource {
  readonly rates: number[] = [];
  readonly seeks: number[] = [];
  stalledMs = 0;
  paused = false;
  seeking = false;
  ended = false;
  /** The origin has stopped publishing: no new part, no new playlist. */
  originSilent = false;
  targetLatencyS: number | undefined;
  rate = 1;
  currentTimeS: number;
  readonly #options: SimulationOptions;
  #nowMs = 0;
  #edgeS: number;
  #edgeSeenAtMs = 0;
  #nextPart = 1;
  #seekDoneAtMs = 0;
  #timers: { readonly periodMs: number; dueMs: number; readonly callback: () => void }[] = [];

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.targetLatencyS = options.targetLatencyS;
    this.#edgeS = 100;
    this.currentTimeS = this.#edgeS - options.targetLatencyS - options.startDelayS;
  }

  get edgeS(): number {
    return this.#edgeS;
  }
  get latencyS(): number {
    return this.#edgeS + (this.#nowMs - this.#edgeSeenAtMs) / 1000 - this.currentTimeS;
  }
  get errorS(): number {
    return this.latencyS - this.#options.targetLatencyS;
  }
  get bufferAheadS(): number {
    return Math.max(0, this.#edgeS - this.currentTimeS);
  }

  setRate(rate: number): void {
    this.rates.push(rate);
    this.rate = rate;
  }

  seek(toS: number): void {
    this.seeks.push(toS);
    this.jump(toS);
  }

  /** What the viewer does with the seek bar. */
  jump(toS: number): void {
    this.currentTimeS = toS;
    this.seeking = true;
    this.#seekDoneAtMs = this.#nowMs + 120;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  every(periodMs: number, callback: () => void): { cancel(): void } {
    const timer = { periodMs, dueMs: this.#nowMs + periodMs, callback };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((t) => t !== timer);
      },
    };
  }

  get timers(): number {
    return this.#timers.length;
  }

  /** Lets `seconds` pass; `each` is called after every step. */
  run(seconds: number, each?: () => void): void {
    for (let passed = 0; passed < seconds * 1000; passed += stepMs) {
      this.#step();
      each?.();
    }
  }

  #step(): void {
    this.#nowMs += stepMs;
    this.#publish();
    if (this.seeking && this.#nowMs >= this.#seekDoneAtMs && this.bufferAheadS > 0) this.seeking = false;
    if (!this.paused && !this.seeking && !this.ended) {
      const advanceS = Math.min((stepMs / 1000) * this.rate, this.bufferAheadS);
      this.currentTimeS += advanceS;
      if (this.bufferAheadS <= 0) this.stalledMs += stepMs;
    }
    for (const timer of this.#timers) {
      while (timer.dueMs <= this.#nowMs) {
        timer.dueMs += timer.periodMs;
        timer.callback();
      }
    }
  }

  #publish(): void {
    if (this.originSilent) return;
    const { partS, partDelayS } = this.#options;
    const dueS = this.#nextPart * partS + (partDelayS?.(this.#nextPart) ?? 0);
    if (this.#nowMs / 1000 < dueS) return;
    this.#edgeS = 100 + this.#nextPart * partS;
    this.#edgeSeenAtMs = this.#nowMs;
    this.#nextPart += 1;
  }
}
