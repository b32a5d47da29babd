import { describe, expect, it } from 'vitest';
import { addressesOf, hlsUrl, signInUrl, watchUrl } from './addresses.ts';

const given = { publicUrl: 'https://tv.example.org/', rtmpHost: undefined, rtmpPort: 1935, rtmpsPort: undefined };

describe('addresses', () => {
  it('RTMP is at the host of the public URL, and usual ports are left out', () => {
    expect(addressesOf(given)).toEqual({
      publicUrl: 'https://tv.example.org',
      rtmpUrl: 'rtmp://tv.example.org/live',
      rtmpsUrl: null,
    });
    expect(addressesOf({ ...given, rtmpPort: 1936, rtmpsPort: 443 })).toMatchObject({
      rtmpUrl: 'rtmp://tv.example.org:1936/live',
      rtmpsUrl: 'rtmps://tv.example.org/live',
    });
    expect(addressesOf({ ...given, publicUrl: 'http://[::1]:8080' }).rtmpUrl).toBe('rtmp://[::1]/live');
    expect(addressesOf({ ...given, rtmpHost: 'in.example.org' }).rtmpUrl).toBe('rtmp://in.example.org/live');
  });

  it('playback URLs carry the token of a private stream, and the sign-in code stays in the fragment', () => {
    const at = addressesOf(given);
    expect(hlsUrl(at, 'play_1')).toBe('https://tv.example.org/live/play_1/index.m3u8');
    expect(hlsUrl(at, 'play_1', 'tok')).toBe('https://tv.example.org/live/play_1/tok/index.m3u8');
    expect(watchUrl(at, 'play_1', 'tok')).toBe('https://tv.example.org/watch/play_1?token=tok');
    expect(new URL(signInUrl(at, 'abc')).hash).toBe('#code=abc');
  });
});
