/**
 * Kind of device and family of player by the User-Agent header: a short table, first match wins. Versions and models are not
 * read: nobody here asks for them, and they make people recognisable.
 */
import type { DeviceKind } from '@millrace/events';

export interface UserAgent {
  readonly device: DeviceKind;
  /** `chrome`, `safari`, `vlc`...; `unknown`. */
  readonly player: string;
}

/** Longer headers are cut: what tells is at either end, but nobody honest sends so much. */
const mostCharacters = 512;

const players: readonly (readonly [RegExp, string])[] = [
  [/\bVLC\b|LibVLC/i, 'vlc'],
  [/\bLavf\//, 'ffmpeg'],
  [/\bmpv\b/i, 'mpv'],
  [/\bGStreamer\b|souphttpsrc/i, 'gstreamer'],
  [/\bStreamlink\b/i, 'streamlink'],
  [/\bKodi\/|XBMC/, 'kodi'],
  [/AppleCoreMedia\//, 'avplayer'],
  [/ExoPlayer|AndroidXMedia3|\bStagefright\b/i, 'exoplayer'],
  [/\bRoku\//, 'roku'],
  [/\bCrKey\//, 'chromecast'],
  [/\bEdg(?:e|A|iOS)?\//, 'edge'],
  [/\bOPR\/|\bOpera\b/, 'opera'],
  [/SamsungBrowser\//, 'samsung-internet'],
  [/\bFirefox\/|\bFxiOS\//, 'firefox'],
  [/\b(?:Headless)?Chrom(?:e|ium)\/|\bCriOS\//, 'chrome'],
  [/\bSafari\//, 'safari'],
  [/\bcurl\/|\bWget\/|python-requests|\bGo-http-client\b|\bnode\b|\bundici\b/i, 'script'],
];

const devices: readonly (readonly [RegExp, DeviceKind])[] = [
  [/bot\b|crawler|spider|facebookexternalhit|Slackbot|preview/i, 'bot'],
  [/PlayStation|Xbox|Nintendo/i, 'console'],
  [
    /SMART-TV|SmartTV|\bTizen\b.*\bTV\b|Web0S|webOS|AppleTV|Apple TV|\bRoku\b|CrKey|BRAVIA|Android TV|AFT[A-Z]|HbbTV/i,
    'tv',
  ],
  [/iPad|\bTablet\b|Android(?!.*\bMobile\b)/i, 'tablet'],
  [/iPhone|iPod|\bMobile\b|Android/i, 'mobile'],
  [/Windows NT|Macintosh|X11|Linux|CrOS/, 'desktop'],
];

export function readUserAgent(header: string | undefined): UserAgent {
  const text = (header ?? '').slice(0, mostCharacters);
  return {
    device: devices.find(([pattern]) => pattern.test(text))?.[1] ?? 'unknown',
    player: players.find(([pattern]) => pattern.test(text))?.[1] ?? 'unknown',
  };
}
