import type { LiveWindow } from './live-window.ts';

export interface WindowAgeSettings {
  /** An open window without a part for this long is ended: its end was lost. */
  readonly idleMs: number;
  /** An ended window is removed after this time. */
  readonly endedMs: number;
}

/** When windows were last written and ended, to tell which have to go. Times are monotonic, ms. */
export class WindowAges {
  readonly #since = new Map<LiveWindow, number>();
  readonly #settings: WindowAgeSettings;

  constructor(settings: WindowAgeSettings) {
    this.#settings = settings;
  }

  /** The window was opened, written or ended now. */
  touch(window: LiveWindow, nowMs: number): void {
    this.#since.set(window, nowMs);
  }

  forget(window: LiveWindow): void {
    this.#since.delete(window);
  }

  /** Windows that are to be ended or removed now. */
  due(nowMs: number): readonly { readonly window: LiveWindow; readonly action: 'end' | 'remove' }[] {
    const { idleMs, endedMs } = this.#settings;
    return [...this.#since].flatMap(([window, sinceMs]) => {
      if (nowMs - sinceMs < (window.ended ? endedMs : idleMs)) return [];
      return [{ window, action: window.ended ? ('remove' as const) : ('end' as const) }];
    });
  }
}
