/** A scheduled callback; `cancel` is idempotent and safe after it ran. */
export interface Timer {
  cancel(): void;
}

/** Time as a parameter. Cores get numbers; what waits gets a Clock, so that tests can move time by hand. */
export interface Clock {
  /** Wall clock, ms since 1970; may jump. For facts, ids and PROGRAM-DATE-TIME. */
  nowMs(): number;
  /** Monotonic, ms from an arbitrary start. For deadlines, rates and durations. */
  monotonicMs(): number;
  /** Calls `callback` once after `delayMs`. The timer does not keep the process alive. */
  after(delayMs: number, callback: () => void): Timer;
  /** Calls `callback` every `periodMs` until cancelled. The timer does not keep the process alive. */
  every(periodMs: number, callback: () => void): Timer;
}

declare function setTimeout(callback: () => void, ms: number): { unref(): unknown };
declare function setInterval(callback: () => void, ms: number): { unref(): unknown };
declare function clearTimeout(timer: unknown): void;
declare const performance: { now(): number };

/** The process's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  every(periodMs, callback) {
    const handle = setInterval(callback, periodMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Resolves after `ms`, or at once when `signal` aborts (it never rejects: the caller's loop checks the signal). */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      timer.cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.after(ms, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}
