/**
 * Which broadcasts are lost because their ingest is gone. Silence is not measured with a clock alone: it is counted in our
 * own signs of life read back from the log, so an outage of the log, in which everybody is silent, ends nobody.
 *
 * Two rules end a broadcast: its instance has been silent for `instanceSilenceMs`; or its instance lives, but nothing was
 * heard of the stream itself (neither fact nor health sample) for `streamSilenceMs`, which is what a restarted
 * instance leaves behind.
 */

/** A broadcast that the live states call running. */
export interface RunningStream {
  readonly streamId: string;
  readonly instanceId: string;
  readonly epoch: number;
  readonly state: 'live' | 'interrupted';
}

export interface WatchLimits {
  readonly instanceSilenceMs: number;
  readonly streamSilenceMs: number;
  /** Bound for an interrupted stream, which sends nothing while it waits for its encoder. */
  readonly interruptedSilenceMs: number;
  /** Longest time one own sign of life can stand for; longer gaps count as an outage of the log. */
  readonly longestBeatMs: number;
}

const defaultWatchLimits: WatchLimits = {
  instanceSilenceMs: 10_000,
  streamSilenceMs: 30_000,
  interruptedSilenceMs: 180_000,
  longestBeatMs: 4_000,
};

/** Time in which the log was seen to flow, and when in it each instance and stream was last heard of. */
export class InstanceWatch {
  readonly #limits: WatchLimits;
  readonly #instances = new Map<string, number>();
  readonly #streams = new Map<string, number>();
  #flowMs = 0;
  #lastBeatMs: number | undefined;

  constructor(limits: WatchLimits = defaultWatchLimits) {
    this.#limits = limits;
  }

  /** Our own sign of life came back out of the log at `nowMs` (monotonic). */
  ownBeat(nowMs: number): void {
    if (this.#lastBeatMs !== undefined) {
      this.#flowMs += Math.min(Math.max(0, nowMs - this.#lastBeatMs), this.#limits.longestBeatMs);
    }
    this.#lastBeatMs = nowMs;
  }

  /** An instance said that it lives. */
  instanceSeen(instanceId: string): void {
    this.#instances.set(instanceId, this.#flowMs);
  }

  /** A fact or a health sample of a stream came. */
  streamHeard(streamId: string): void {
    this.#streams.set(streamId, this.#flowMs);
  }

  /**
   * The broadcasts among `running` that are lost. What has not been heard of yet counts as heard of now, so a fresh watch
   * gives everybody the whole time. Also forgets streams that do not run any more and instances long gone.
   */
  lost(running: readonly RunningStream[]): readonly RunningStream[] {
    const ids = new Set(running.map((stream) => stream.streamId));
    for (const streamId of this.#streams.keys()) if (!ids.has(streamId)) this.#streams.delete(streamId);
    const hosts = new Set(running.map((stream) => stream.instanceId));
    for (const instanceId of this.#instances.keys()) if (!hosts.has(instanceId)) this.#instances.delete(instanceId);
    return running.filter((stream) => {
      const instanceSilence = this.#silence(this.#instances, stream.instanceId);
      const streamSilence = this.#silence(this.#streams, stream.streamId);
      const bound = stream.state === 'live' ? this.#limits.streamSilenceMs : this.#limits.interruptedSilenceMs;
      return instanceSilence >= this.#limits.instanceSilenceMs || streamSilence >= bound;
    });
  }

  #silence(seen: Map<string, number>, id: string): number {
    const at = seen.get(id);
    if (at !== undefined) return this.#flowMs - at;
    seen.set(id, this.#flowMs);
    return 0;
  }
}
