/** Turns 32-bit millisecond timestamps of one publish into numbers that do not wrap. */
export interface TimestampUnwrapper {
  /** The unwrapped time of the next timestamp on the wire (0 .. 2^32-1), ms. */
  unwrap(raw: number): number;
}

/**
 * Timestamps wrap after 49.7 days. Each is taken as the value nearest to the one before it, so a wrap is continuous and a
 * jump back or forth (an encoder that restarts its clock) stays the jump it was. `firstMs` is the known unwrapped time of
 * the first one; without it the first stands for itself.
 */
export function createTimestampUnwrapper(firstMs?: number): TimestampUnwrapper {
  let last = firstMs;
  return {
    unwrap(raw) {
      if (last === undefined) last = raw >>> 0;
      else last += (raw - last) | 0; // ToInt32 is arithmetic modulo 2^32, also for sums beyond it
      return last;
    },
  };
}
