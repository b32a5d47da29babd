/**
 * One video element and what plays in it, without React: loads when it is asked to play, goes on where it was after a failure,
 * and says what is the matter when that does not help.
 */
import type { PageTime } from '../player/browser-time.ts';
import { rebuildDelayMs } from '../player/recovery.ts';
import type { VodLoss, VodPlayback, VodStart } from './vod-playback.ts';

export type VodState =
  /** Nothing is loaded yet. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'lost'; readonly loss: VodLoss };

export interface VodSessionDeps {
  readonly video: HTMLVideoElement;
  readonly time: Pick<PageTime, 'after'>;
  readonly open: (video: HTMLVideoElement, start: VodStart, onLost: (loss: VodLoss) => void) => Promise<VodPlayback>;
}

/** Rebuilt by itself so often in a row before the viewer is asked. */
const triesInARow = 3;

export class VodSession {
  readonly #deps: VodSessionDeps;
  readonly #abort = new AbortController();
  readonly #listeners = new Set<() => void>();
  #url: string;
  #state: VodState = { kind: 'idle' };
  #playback: VodPlayback | undefined;
  #failures = 0;
  /** Play once it is loaded. */
  #wanted = false;
  #retry: { cancel(): void } | undefined;
  /** Rises with every playback that is begun or given up. */
  #generation = 0;

  constructor(deps: VodSessionDeps, url: string) {
    this.#deps = deps;
    this.#url = url;
    deps.video.addEventListener('playing', () => (this.#failures = 0), { signal: this.#abort.signal });
  }

  get state(): VodState {
    return this.#state;
  }

  get playback(): VodPlayback | undefined {
    return this.#playback;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Loads at the first call, and again after a loss. */
  load(): void {
    if (this.#state.kind === 'loading' || this.#state.kind === 'ready') return;
    this.#failures = 0;
    void this.#open(this.#deps.video.currentTime, false);
  }

  /** Plays as soon as there is something to play; a refusal of the browser leaves it paused. */
  play(): void {
    this.#wanted = true;
    if (this.#state.kind === 'ready') this.#play();
    else this.load();
  }

  /** What is played has changed under its address: loads it anew unless somebody is watching. */
  renew(url: string): void {
    this.#url = url;
    const { video } = this.#deps;
    if (this.#state.kind === 'idle' || !video.paused) return;
    this.#leave();
    void this.#open(video.currentTime, false);
  }

  close(): void {
    this.#abort.abort();
    this.#leave();
    this.#listeners.clear();
  }

  async #open(atS: number, play: boolean): Promise<void> {
    const generation = ++this.#generation;
    const { video, open } = this.#deps;
    this.#become({ kind: 'loading' });
    try {
      const playback = await open(video, { url: this.#url, atS }, (loss) => {
        if (generation === this.#generation) this.#onLost(loss);
      });
      if (generation !== this.#generation) return playback.close();
      this.#playback = playback;
      this.#become({ kind: 'ready' });
      if (play || this.#wanted) this.#play();
    } catch {
      // The player's code did not load.
      if (generation === this.#generation)
        this.#become({ kind: 'lost', loss: { reason: 'the player could not be loaded' } });
    }
  }

  #play(): void {
    this.#wanted = false;
    this.#deps.video.play().catch(() => undefined); // refused, or broken off by a new load: the button stays
  }

  #onLost(loss: VodLoss): void {
    const { video, time } = this.#deps;
    const atS = video.currentTime;
    const play = !video.paused;
    this.#leave();
    this.#failures += 1;
    const hopeless = loss.refusedWith !== undefined || this.#failures > triesInARow;
    if (hopeless) return this.#become({ kind: 'lost', loss });
    this.#become({ kind: 'loading' });
    this.#retry = time.after(rebuildDelayMs(this.#failures), () => void this.#open(atS, play));
  }

  #leave(): void {
    this.#generation += 1;
    this.#retry?.cancel();
    this.#playback?.close();
    this.#playback = undefined;
  }

  #become(state: VodState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }
}
