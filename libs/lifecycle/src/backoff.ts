/**
 * Full-jitter exponential backoff, ms, for retry number `attempt` (0 is the first retry): uniform between half and all
 * of `baseMs * 2^attempt`, at most `capMs`. `random` is in [0, 1).
 */
export function backoffMs(attempt: number, baseMs: number, capMs: number, random: number): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  return ceiling / 2 + (ceiling / 2) * random;
}
