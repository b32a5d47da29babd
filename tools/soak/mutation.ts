/** Ways to break a byte stream. All randomness comes from the given source, so that a run can be repeated by its seed. */

/** Uniform in [0, 1). */
export type Random = () => number;

/** A small fast generator (mulberry32): the same seed gives the same run. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A copy of `bytes` with one to eight faults: bits, bytes, lengths, order. The handshake (3,073 bytes) is mostly left alone. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  const handshake = 3_073;
  let broken: Buffer = Buffer.from(bytes);
  const faults = 1 + Math.floor(random() * 8);
  for (let fault = 0; fault < faults; fault++) {
    const from = random() < 0.9 ? Math.min(handshake, broken.length - 1) : 0;
    const at = from + Math.floor(random() * (broken.length - from));
    const length = Math.min(broken.length - at, 1 + Math.floor(random() ** 3 * 4_096));
    broken = applyFault(broken, at, length, random);
    if (broken.length < 2) return broken;
  }
  return broken;
}

function applyFault(bytes: Buffer, at: number, length: number, random: Random): Buffer {
  const kind = Math.floor(random() * 6);
  if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  else if (kind === 1) bytes[at] = Math.floor(random() * 256);
  else if (kind === 2) bytes.fill(random() < 0.5 ? 0xff : 0, at, at + length);
  else if (kind === 3) return bytes.subarray(0, at);
  else if (kind === 4) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
  else return Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
  return bytes;
}
