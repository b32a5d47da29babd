/** The WAV files that the audio task writes for recognisers: RIFF, PCM, 16 bit, one channel. */
import { err, ok, type Result } from '@millrace/result';

export interface WavFormat {
  readonly sampleRate: number;
  /** Where the samples begin, bytes. */
  readonly dataStart: number;
}

/** Reads the head of a file; 4 KB of it are enough for ours. */
export function readWavHead(head: Uint8Array): Result<WavFormat, string> {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const word = (at: number) => String.fromCharCode(...head.subarray(at, at + 4));
  if (head.length < 12 || word(0) !== 'RIFF' || word(8) !== 'WAVE') return err('expected a RIFF WAVE file');
  let sampleRate: number | undefined;
  for (let at = 12; at + 8 <= head.length; ) {
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (word(at) === 'fmt ' && body + 16 <= head.length) {
      const channels = view.getUint16(body + 2, true);
      const bits = view.getUint16(body + 14, true);
      if (channels !== 1 || bits !== 16) return err(`expected one channel of 16 bits, got ${channels} of ${bits}`);
      sampleRate = view.getUint32(body + 4, true);
    }
    if (word(at) === 'data') {
      return sampleRate === undefined ? err('expected fmt before data') : ok({ sampleRate, dataStart: body });
    }
    at = body + size + (size % 2);
  }
  return err('expected data within the first part of the file');
}

/** A whole file around `samples`. */
export function writeWav(samples: Uint8Array, sampleRate: number): Uint8Array {
  const file = new Uint8Array(44 + samples.length);
  const view = new DataView(file.buffer);
  const put = (at: number, text: string) => file.set(new TextEncoder().encode(text), at);
  put(0, 'RIFF');
  view.setUint32(4, 36 + samples.length, true);
  put(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  put(36, 'data');
  view.setUint32(40, samples.length, true);
  file.set(samples, 44);
  return file;
}
