import { expectOk } from '@millrace/result';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAudioConfig } from './audio-config.ts';
import { parseAvcConfig } from './avc-config.ts';

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replace(/ /g, ''), 'hex'));

// A real libx264 SPS: 1280x720, 30 frames a second, High, level 3.1.
const x264Sps = '6764001facd9405005bb011000000300100000030 3c0f1831960'.replace(/ /g, '');
const recordOf = (sps: string) =>
  hex(`0164001fffe1${(sps.length / 2).toString(16).padStart(4, '0')}${sps}010004 68ebe3cb`);

describe('an AVC configuration', () => {
  it('gives the codec string, the shown size and the frame rate', () => {
    const config = expectOk(parseAvcConfig(recordOf(x264Sps)), 'record');
    expect(config).toMatchObject({ codecs: 'avc1.64001f', width: 1280, height: 720, nalLengthBytes: 4, frameRate: 30 });
  });

  it('is refused when it is cut short anywhere before the end of its first parameter set', () => {
    const record = recordOf(x264Sps);
    for (let length = 0; length < 8 + x264Sps.length / 2; length++) {
      expect(parseAvcConfig(record.subarray(0, length)).ok).toBe(false);
    }
  });

  it('never throws and never takes long on garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
        parseAvcConfig(noise);
        parseAvcConfig(Uint8Array.of(1, 100, 0, 31, 255, 225, 0, noise.length & 255, 0x67, ...noise));
      }),
    );
  });

  it('never throws on a real one with one damaged byte, and then still gives a sane size or none', () => {
    const record = recordOf(x264Sps);
    fc.assert(
      fc.property(fc.nat(record.length - 1), fc.nat(255), (at, value) => {
        const config = parseAvcConfig(record.map((byte, i) => (i === at ? value : byte)));
        if (config.ok) expect(config.value.width * config.value.height).toBeLessThanOrEqual(16_384 ** 2);
      }),
    );
  });
});

describe('an AAC configuration', () => {
  it('of AAC-LC gives rate, channels and codec string', () => {
    expect(expectOk(parseAudioConfig(hex('1210')), 'LC 44.1 stereo')).toEqual({
      objectType: 2,
      codecs: 'mp4a.40.2',
      sampleRate: 44_100,
      outputSampleRate: 44_100,
      channels: 2,
      samplesPerFrame: 1024,
    });
    expect(expectOk(parseAudioConfig(hex('1188')), 'LC 48 mono')).toMatchObject({ sampleRate: 48_000, channels: 1 });
  });

  it('of explicit SBR and PS keeps the core rate as the clock of frames', () => {
    // object type 5 (29), core 24 kHz, stereo, extension 48 kHz, LC
    expect(expectOk(parseAudioConfig(hex('2b118800')), 'HE-AAC')).toMatchObject({
      codecs: 'mp4a.40.5',
      sampleRate: 24_000,
      outputSampleRate: 48_000,
    });
    expect(expectOk(parseAudioConfig(hex('eb098800')), 'HE-AAC v2')).toMatchObject({
      codecs: 'mp4a.40.29',
      sampleRate: 24_000,
      channels: 1,
    });
  });

  it('with backward-compatible SBR signalling is AAC-LC with a higher output rate', () => {
    expect(expectOk(parseAudioConfig(hex('131056e598')), 'LC + SBR')).toMatchObject({
      codecs: 'mp4a.40.2',
      sampleRate: 24_000,
      outputSampleRate: 48_000,
    });
  });

  it('of a codec that is not AAC is refused by its object type', () => {
    const refused = parseAudioConfig(hex('f94a4000')); // escape: xHE-AAC
    expect(refused.ok ? '' : refused.error.message).toContain('object type 42');
  });

  it('never throws on garbage, and what it takes has a usable rate', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const config = parseAudioConfig(bytes);
        if (config.ok) expect(config.value.sampleRate).toBeGreaterThanOrEqual(7_350);
      }),
      { numRuns: 500 },
    );
  });
});
