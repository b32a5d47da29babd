/**
 * One visit to the watch page, without React: it owns the video element, asks the API, starts the player as early as it
 * can and starts it again when it is lost. React only draws what `state` says.
 */
import type { Answer } from '../api/caller.ts';
import type { StreamState, WatchInfo } from '../api/resources.ts';
import type { PageTime } from '../player/browser-time.ts';
import type { Playback, PlaybackSignal } from '../player/playback.ts';
import { rebuildDelayMs } from '../player/recovery.ts';
import { differs, nextAskMs, nextWatchState, type WatchSignal, type WatchState } from './watch-state.ts';

export interface WatchSessionDeps {
  readonly video: HTMLVideoElement;
  readonly time: PageTime;
  readonly ask: (signal: AbortSignal) => Answer<WatchInfo>;
  readonly open: (video: HTMLVideoElement, url: string, onSignal: (s: PlaybackSignal) => void) => Promise<Playback>;
  /** Starts playing, muted if the browser insists. */
  readonly play: (video: HTMLVideoElement) => void;
}

/** A pause in the picture shorter than this is not worth a word. */
const dryAfterMs = 1_200;

export class WatchSession {
  readonly #deps: WatchSessionDeps;
  readonly #abort = new AbortController();
  readonly #listeners = new Set<() => void>();
  #state: WatchState = { kind: 'loading' };
  #playback: Playback | undefined;
  /** Rises with every playback that is begun or given up, so that a late `open` knows it is not wanted any more. */
  #generation = 0;
  #asking = false;
  #told: StreamState | undefined;
  #askTimer: { cancel(): void } | undefined;
  #dryTimer: { cancel(): void } | undefined;
  #openTimer: { cancel(): void } | undefined;

  constructor(deps: WatchSessionDeps) {
    this.#deps = deps;
    const { video } = deps;
    const { signal } = this.#abort;
    video.addEventListener('playing', () => this.#onMoving(), { signal });
    video.addEventListener('timeupdate', () => this.#onMoving(), { signal });
    video.addEventListener('waiting', () => this.#onWaiting(), { signal });
  }

  get state(): WatchState {
    return this.#state;
  }

  get playback(): Playback | undefined {
    return this.#playback;
  }

  /** Calls `listener` after every change of state; returns how to stop that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Asks the API now: at the start, and when the viewer presses "try again". */
  start(): void {
    void this.#ask(); // its failures become states
  }

  /**
   * The hub is heard, and tells the stream's state from now on (asked for again when it differs from what is shown); undefined: it
   * is not heard any more.
   */
  hear(told: StreamState | undefined): void {
    const before = this.#told;
    this.#told = told;
    if (told === before) return;
    if (told !== undefined && differs(this.#state, told)) void this.#ask();
    else this.#planAsk();
  }

  close(): void {
    this.#abort.abort();
    this.#askTimer?.cancel();
    this.#closePlayback();
    this.#listeners.clear();
  }

  async #ask(): Promise<void> {
    if (this.#asking || this.#abort.signal.aborted) return;
    this.#asking = true;
    const answer = await this.#deps.ask(this.#abort.signal);
    this.#asking = false;
    if (this.#abort.signal.aborted) return;
    if (answer.ok) this.#signal({ kind: 'info-received', info: answer.value });
    else this.#signal({ kind: 'info-failed', error: answer.error });
  }

  #signal(signal: WatchSignal): void {
    const before = this.#state;
    const after = nextWatchState(before, signal);
    this.#state = after;
    if (after.kind === 'live') {
      const wasLive = before.kind === 'live';
      if (!wasLive || after.attempt > before.attempt) this.#openSoon(after.info.hls_url, after.attempt);
    } else {
      this.#closePlayback();
    }
    this.#planAsk();
    if (after !== before) for (const listener of this.#listeners) listener();
  }

  #planAsk(): void {
    this.#askTimer?.cancel();
    const delayMs = nextAskMs(this.#state, this.#told);
    this.#askTimer = delayMs === undefined ? undefined : this.#deps.time.after(delayMs, () => void this.#ask());
  }

  #openSoon(url: string, attempt: number): void {
    this.#closePlayback();
    const delayMs = rebuildDelayMs(attempt);
    if (delayMs === 0) void this.#open(url);
    else this.#openTimer = this.#deps.time.after(delayMs, () => void this.#open(url));
  }

  async #open(url: string): Promise<void> {
    const generation = ++this.#generation;
    const { video, open, play } = this.#deps;
    const onSignal = (s: PlaybackSignal) => {
      if (generation === this.#generation)
        this.#signal({ kind: s.kind === 'ended' ? 'playback-ended' : 'playback-lost' });
    };
    let playback: Playback;
    try {
      playback = await open(video, url, onSignal);
    } catch {
      // The player's code did not load; the network is the likely reason.
      if (generation === this.#generation) this.#signal({ kind: 'playback-lost' });
      return;
    }
    if (generation !== this.#generation) return playback.close();
    this.#playback = playback;
    play(video);
  }

  #closePlayback(): void {
    this.#generation += 1;
    this.#openTimer?.cancel();
    this.#dryTimer?.cancel();
    this.#playback?.close();
    this.#playback = undefined;
  }

  #onMoving(): void {
    const { video } = this.#deps;
    if (video.paused || video.seeking || video.readyState < video.HAVE_FUTURE_DATA) return;
    this.#dryTimer?.cancel();
    this.#dryTimer = undefined;
    if (this.#state.kind === 'live' && this.#state.phase !== 'playing') this.#signal({ kind: 'playing' });
  }

  #onWaiting(): void {
    this.#dryTimer?.cancel();
    this.#dryTimer = this.#deps.time.after(dryAfterMs, () => {
      this.#signal({ kind: 'ran-dry' });
      void this.#ask(); // to learn whether the publisher is gone
    });
  }
}
