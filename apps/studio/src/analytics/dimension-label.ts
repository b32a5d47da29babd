/** Countries, devices and players as people call them. */
import type { Dimension } from './analytics-resources.ts';

const devices: Readonly<Record<string, string>> = {
  desktop: 'Desktop',
  mobile: 'Phone',
  tablet: 'Tablet',
  tv: 'TV',
  console: 'Game console',
  bot: 'Robot',
};

const players: Readonly<Record<string, string>> = {
  chrome: 'Chrome',
  safari: 'Safari',
  firefox: 'Firefox',
  edge: 'Edge',
  opera: 'Opera',
  vlc: 'VLC',
  ffmpeg: 'FFmpeg',
  mpv: 'mpv',
  avplayer: 'AVPlayer',
  exoplayer: 'ExoPlayer',
  hlsjs: 'hls.js',
  'hls.js': 'hls.js',
  shaka: 'Shaka Player',
  dashjs: 'dash.js',
};

const regions = new Intl.DisplayNames(undefined, { type: 'region', fallback: 'code' });

/** `label` is what the server calls it: the title of a stream, else the key. */
export function dimensionLabel(by: Dimension, key: string, label: string): string {
  if (key === 'unknown' || key === '') return 'Unknown';
  if (by === 'country') return /^[A-Z]{2}$/.test(key) ? (regions.of(key) ?? key) : label;
  if (by === 'device') return devices[key] ?? label;
  if (by === 'player') return players[key] ?? label;
  return label;
}
