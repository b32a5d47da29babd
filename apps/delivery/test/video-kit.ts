/** A processed video in the store of a delivery kit, as progress and its workers leave one, in miniature. */
import { createTokenSigner, generateSigningKey } from '@millrace/auth';
import { record, tombstone } from '@millrace/eventlog';
import { signingKeysTopic, type VideoState, videosTopic } from '@millrace/events';
import { newId, systemIdSource } from '@millrace/ids';
import { type DeliveryKit, openDeliveryKit } from './delivery-kit.ts';

export interface KitVideo {
  readonly videoId: string;
  readonly playbackId: string;
  /** `ast_...`; that of the last definition. */
  readonly asset: string;
  /** `http://127.0.0.1:port/vod/{playbackId}` */
  readonly url: string;
}

export interface VideoKit extends DeliveryKit {
  /** Says how a video is, with the files of an asset in the store, and waits until delivery has heard it. */
  video(change?: Partial<VideoState>): Promise<KitVideo>;
  remove(video: KitVideo): Promise<void>;
  /** A playback token that delivery accepts. */
  token(playbackId: string): Promise<string>;
}

const multivariant = (asset: string) => `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="audio",DEFAULT=YES,URI="${asset}/audio/index.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="English",LANGUAGE="en",URI="${asset}/subtitles-en/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS="avc1.64001f,mp4a.40.2",AUDIO="audio",SUBTITLES="subtitles"
${asset}/video-360p/index.m3u8
`;
const media = (files: readonly string[], init = true) => `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:4
#EXT-X-PLAYLIST-TYPE:VOD
${init ? '#EXT-X-MAP:URI="init.mp4"\n' : ''}${files.map((file) => `#EXTINF:4.000,\n${file}\n`).join('')}#EXT-X-ENDLIST
`;

/** Writes the files of one asset. */
export async function storeAsset(kit: DeliveryKit, folder: string): Promise<void> {
  const asset = folder.slice(folder.lastIndexOf('/') + 1);
  const put = (key: string, text: string) => kit.store.put(key, [Buffer.from(text)]);
  await put(`${folder}.m3u8`, multivariant(asset));
  await put(`${folder}.mpd`, `<MPD><BaseURL>${asset}/</BaseURL></MPD>`);
  for (const rendition of ['video-360p', 'audio']) {
    await put(`${folder}/${rendition}/index.m3u8`, media(Array.from({ length: 40 }, (_, i) => `s0000-${i}.m4s`)));
    await put(`${folder}/${rendition}/init.mp4`, `ftyp-${rendition}`);
    await put(`${folder}/${rendition}/s0000-0.m4s`, `moof-${rendition}-0123456789`);
  }
  await put(`${folder}/subtitles-en/index.m3u8`, media(['0.vtt'], false));
  await put(`${folder}/subtitles-en/0.vtt`, 'WEBVTT\n\n00:00.000 --> 00:01.000\nhello\n');
  await put(`${folder}/poster.jpg`, 'jpeg');
  await put(`${folder}/storyboard.vtt`, 'WEBVTT\n\n00:00.000 --> 00:05.000\nstoryboard-0.jpg#xywh=0,0,160,90\n');
  await put(`${folder}/storyboard-0.jpg`, 'sprites');
}

/** Opens a delivery with no videos yet; `env` overrides settings, `open` gives another delivery than an origin. */
export async function openVideoKit(
  env: Readonly<Record<string, string>> = {},
  open: typeof openDeliveryKit = openDeliveryKit,
): Promise<VideoKit> {
  const kit = await open(env);
  const pair = await generateSigningKey();
  const signer = await createTokenSigner({ ...pair, clock: kit.clock, idSource: systemIdSource });
  const jwk = { kid: pair.kid, public_jwk: { ...pair.publicJwk }, created_at_ms: 1 };
  await kit.eventLog.publish([record(signingKeysTopic, jwk)]);
  const followed = kit.eventLog.table(videosTopic);
  const heard = async (done: () => boolean) => {
    for (let i = 0; i < 2_000 && !done(); i++) await new Promise((resolve) => setImmediate(resolve));
    if (!done()) throw new Error('delivery did not hear of a video');
    await kit.clock.advance(0);
  };
  let updates = 0;
  return {
    ...kit,
    async video(change = {}) {
      const video_id = change.video_id ?? newId('vid');
      const playback_id = change.playback_id ?? newId('play');
      const asset = newId('ast');
      const folder = `videos/${video_id}/${asset}`;
      if (change.asset === undefined) await storeAsset(kit, folder);
      const updated_at_ms = ++updates;
      const value: VideoState = {
        ...{ owner_id: 'own_1', title: 'A video', visibility: 'public', status: 'completed', asset: folder },
        ...{ complete: true, duration_ms: 160_000, file: null, ...change, video_id, playback_id, updated_at_ms },
      };
      await kit.eventLog.publish([record(videosTopic, value)]);
      await heard(() => followed.get(video_id)?.updated_at_ms === updated_at_ms);
      return { videoId: video_id, playbackId: playback_id, asset, url: `${kit.origin}/vod/${playback_id}` };
    },
    async remove({ videoId }) {
      await kit.eventLog.publish([tombstone(videosTopic, videoId)]);
      await heard(() => followed.get(videoId) === undefined);
    },
    token: async (playbackId) => (await signer.issuePlaybackToken({ playbackId, expiresInS: 600 })).token,
    async [Symbol.asyncDispose]() {
      await followed[Symbol.asyncDispose]();
      await kit[Symbol.asyncDispose]();
    },
  };
}
