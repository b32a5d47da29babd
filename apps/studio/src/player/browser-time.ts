/** The page's own clock and timers, in the shape that the live-edge controller and the sessions take. */
export interface PageTime {
  monotonicMs(): number;
  every(periodMs: number, callback: () => void): { cancel(): void };
  after(delayMs: number, callback: () => void): { cancel(): void };
}

export const pageTime: PageTime = {
  monotonicMs: () => performance.now(),
  every(periodMs, callback) {
    const timer = setInterval(callback, periodMs);
    return { cancel: () => clearInterval(timer) };
  },
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};
