/** Secrets that people copy: 32 characters of base32 (RFC 4648, lower case) are 160 random bits. */
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** Where randomness comes from: fills and returns the array. */
export type RandomBytes = (bytes: Uint8Array) => Uint8Array;

/** 32 random base32 characters. */
export function newSecretText(random: RandomBytes): string {
  let text = '';
  // 256 is a multiple of 32, so taking five bits of a byte favours no character
  for (const byte of random(new Uint8Array(32))) text += alphabet.charAt(byte & 31);
  return text;
}

/** A stream key as OBS gets it: `mk_` and 32 characters. */
export function newStreamKeyText(random: RandomBytes): string {
  return `mk_${newSecretText(random)}`;
}
