/** Raw AAC-LC frames of silence (1,024 samples), as encoders make them for digital zero. */
const mono = Uint8Array.of(0x00, 0xc8, 0x00, 0x80, 0x23, 0x80);
const stereo = Uint8Array.of(0x21, 0x00, 0x49, 0x90, 0x02, 0x19, 0x00, 0x23, 0x80);

/** A silent frame for AAC-LC of one or two channels; undefined for what we know none of. */
export function silentFrame(format: {
  readonly objectType: number;
  readonly channels: number;
}): Uint8Array | undefined {
  if (format.objectType !== 2) return undefined;
  return format.channels === 1 ? mono : format.channels === 2 ? stereo : undefined;
}
