import { describe, expect, it } from 'vitest';
import { readUserAgent } from './user-agent.ts';
import { networkOf } from './viewer-identity.ts';

describe('a user agent', () => {
  it.each([
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
      'desktop',
      'chrome',
    ],
    [
      'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0',
      'desktop',
      'edge',
    ],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'desktop', 'firefox'],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15',
      'desktop',
      'safari',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 CriOS/140 Mobile/15E148 Safari/604',
      'mobile',
      'chrome',
    ],
    [
      'Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile/15E148 Safari/604',
      'tablet',
      'safari',
    ],
    [
      'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36',
      'mobile',
      'chrome',
    ],
    ['Mozilla/5.0 (Linux; Android 14; SM-X910) AppleWebKit/537.36 Chrome/140.0 Safari/537.36', 'tablet', 'chrome'],
    [
      'Mozilla/5.0 (SMART-TV; Linux; Tizen 8.0) AppleWebKit/537.36 SamsungBrowser/7.0 Chrome/108 TV Safari/537.36',
      'tv',
      'samsung-internet',
    ],
    ['Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 Chrome/94.0 Safari/537.36', 'tv', 'chrome'],
    ['Mozilla/5.0 (PlayStation 5 3.03) AppleWebKit/605 Version/13.0 Safari/605', 'console', 'safari'],
    ['AppleCoreMedia/1.0.0.22A (iPhone; U; CPU OS 18_0 like Mac OS X; en_us)', 'mobile', 'avplayer'],
    ['VLC/3.0.21 LibVLC/3.0.21', 'unknown', 'vlc'],
    ['Lavf/59.27.100', 'unknown', 'ffmpeg'],
    ['ExoPlayerDemo/2.19 (Linux; Android 14) AndroidXMedia3/1.4', 'tablet', 'exoplayer'],
    ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'bot', 'unknown'],
    ['curl/8.5.0', 'unknown', 'script'],
    [undefined, 'unknown', 'unknown'],
    ['x'.repeat(100_000), 'unknown', 'unknown'],
  ])('%s is of a kind and a family', (header, device, player) => {
    expect(readUserAgent(header)).toEqual({ device, player });
  });
});

describe('the network that limits apply to', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0DB8::5', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['2001:db8:1:2:3::', '2001:db8:1:2'],
  ])('of %s is %s', (address, network) => expect(networkOf(address)).toBe(network));
});
