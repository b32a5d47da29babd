/**
 * The paths below `/vod`. An asset is what one run of processing published; its files never change their meaning, and the names
 * beside them (`index.m3u8`...) lead to the asset that the video has now.
 *
 *     /vod/{playbackId}[/{token}]/index.m3u8 | index.mpd | poster.jpg | storyboard.vtt | video.mp4 | about.json
 *     /vod/{playbackId}[/{token}]/{asset}/[{folder}/]{name}.m3u8 | .m4s | .mp4 | .vtt | .jpg
 *     /vod/{playbackId}[/{token}]/s/{session}/{asset}/{folder}/index.m3u8
 *     /vod/{playbackId}[/{token}]/cmcd
 */

/** What a file of an asset is, by its extension. */
export type VodFileKind = 'playlist' | 'media' | 'captions' | 'picture';

export type VodTarget =
  /** HLS: `{asset}.m3u8` of the store. */
  | { readonly kind: 'multivariant' }
  /** DASH: `{asset}.mpd`. */
  | { readonly kind: 'presentation' }
  | { readonly kind: 'poster' }
  | { readonly kind: 'storyboard' }
  /** What a page shows beside it. */
  | { readonly kind: 'about' }
  /** The whole video in one MP4. */
  | { readonly kind: 'file' }
  | { readonly kind: 'beacons' }
  | {
      readonly kind: 'asset-file';
      /** `ast_...` */
      readonly asset: string;
      /** Below the asset's folder: `video-720p/s0000-1.m4s`. */
      readonly path: string;
      readonly file: VodFileKind;
      /** The viewer's session, on the media playlists that a multivariant playlist leads to. */
      readonly session: string | undefined;
    };

export interface VodPath {
  readonly playbackId: string;
  /** Playback token of a private video. */
  readonly token: string | undefined;
  readonly target: VodTarget;
}

const idPattern = /^[A-Za-z0-9_-]{1,64}$/;
const tokenPattern = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const assetPattern = /^ast_[0-7][0-9a-hjkmnp-tv-z]{25}$/;
const folderPattern = /^[a-z][A-Za-z0-9-]{0,63}$/;
const namePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.(m3u8|m4s|mp4|vtt|jpg)$/;
const longestToken = 1024;

const named: Readonly<Record<string, VodTarget>> = {
  'index.m3u8': { kind: 'multivariant' },
  'index.mpd': { kind: 'presentation' },
  'poster.jpg': { kind: 'poster' },
  'storyboard.vtt': { kind: 'storyboard' },
  'video.mp4': { kind: 'file' },
  'about.json': { kind: 'about' },
  cmcd: { kind: 'beacons' },
};
const kinds: Readonly<Record<string, VodFileKind>> = {
  m3u8: 'playlist',
  m4s: 'media',
  mp4: 'media',
  vtt: 'captions',
  jpg: 'picture',
};

/** Parses a path (without query); undefined for one that cannot name anything here. */
export function parseVodPath(path: string): VodPath | undefined {
  const [empty, vod, playbackId, ...rest] = path.split('/', 10);
  if (empty !== '' || vod !== 'vod' || playbackId === undefined || !idPattern.test(playbackId)) return undefined;
  const first = rest[0] ?? '';
  const token = rest.length > 1 && first.length <= longestToken && tokenPattern.test(first) ? first : undefined;
  const target = parseTarget(token === undefined ? rest : rest.slice(1));
  return target === undefined ? undefined : { playbackId, token, target };
}

function parseTarget(segments: readonly string[]): VodTarget | undefined {
  const [first = '', second = ''] = segments;
  if (segments.length === 1) return Object.hasOwn(named, first) ? named[first] : undefined;
  if (first !== 's') return parseAssetFile(segments, undefined);
  if (segments.length !== 5 || !idPattern.test(second)) return undefined;
  const found = parseAssetFile(segments.slice(2), second);
  return found?.kind === 'asset-file' && found.file === 'playlist' ? found : undefined;
}

function parseAssetFile(segments: readonly string[], session: string | undefined): VodTarget | undefined {
  const [asset = '', ...path] = segments;
  const name = path.at(-1);
  if (name === undefined || path.length > 2 || !assetPattern.test(asset)) return undefined;
  if (path.length === 2 && !folderPattern.test(path[0] ?? '')) return undefined;
  const file = kinds[namePattern.exec(name)?.[1] ?? ''];
  return file === undefined ? undefined : { kind: 'asset-file', asset, path: path.join('/'), file, session };
}

/** A media playlist's URI as it stands in a multivariant playlist of the store, under a viewer's session. */
export function sessionUri(session: string, uri: string): string {
  return `s/${session}/${uri}`;
}

/** How a media playlist under a session leads back to its files, which are the same for everybody. */
export function fileUriBase(asset: string, path: string): string {
  return `../../../../${asset}/${path.slice(0, path.lastIndexOf('/') + 1)}`;
}
