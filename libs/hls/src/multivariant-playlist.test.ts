import * as HLS from 'hls-parser';
import { expect, it } from 'vitest';
import { renderMultivariantPlaylist } from './multivariant-playlist.ts';

const audio = { group: 'audio', name: 'audio', uri: 's/x/audio/index.m3u8', channels: 2, isDefault: true };
const video = {
  uri: 's/x/video/index.m3u8',
  bandwidthBps: 2_800_000.4,
  averageBandwidthBps: 2_500_000,
  codecs: ['avc1.64001f', 'mp4a.40.2'],
  width: 1280,
  height: 720,
  frameRate: 30_000 / 1001,
  audioGroup: 'audio',
};

it('a multivariant playlist lists audio as a group of its own', () => {
  const text = renderMultivariantPlaylist({ variants: [video], audio: [audio], independentSegments: false });
  expect(text).toBe(`#EXTM3U
#EXT-X-VERSION:9
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="audio",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="s/x/audio/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=2800001,AVERAGE-BANDWIDTH=2500000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.97,AUDIO="audio"
s/x/video/index.m3u8
`);
  const parsed = HLS.parse(text) as HLS.types.MasterPlaylist;
  expect(parsed.variants[0]?.audio[0]?.uri).toBe('s/x/audio/index.m3u8');
  expect(parsed.variants[0]?.resolution).toEqual({ width: 1280, height: 720 });
});

it('an audio-only stream is a variant without picture, and a video-only one has no group', () => {
  const only = { uri: 'a', bandwidthBps: 1, averageBandwidthBps: 1, codecs: ['mp4a.40.2'] };
  const text = renderMultivariantPlaylist({ variants: [only], audio: [], independentSegments: true });
  expect(text).toContain(
    '#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-STREAM-INF:BANDWIDTH=1,AVERAGE-BANDWIDTH=1,CODECS="mp4a.40.2"\na\n',
  );
  const { audioGroup: _, ...silent } = video;
  expect(renderMultivariantPlaylist({ variants: [silent], audio: [], independentSegments: false })).not.toContain(
    'AUDIO=',
  );
});
