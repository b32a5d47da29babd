/**
 * The paths below `/live`. Media playlists carry a viewer's session, media files do not: their bytes are the same for
 * everybody, so URIs in a media playlist go three folders up and down again.
 *
 *     /live/{playbackId}[/{token}]/index.m3u8
 *     /live/{playbackId}[/{token}]/s/{session}/{rendition}/index.m3u8
 *     /live/{playbackId}[/{token}]/{rendition}/{windowId}-init{n}.mp4
 *     /live/{playbackId}[/{token}]/{rendition}/{windowId}-{segment}.m4s
 *     /live/{playbackId}[/{token}]/{rendition}/{windowId}-{segment}.{part}.m4s
 *     /live/{playbackId}[/{token}][/s/{session}]/cmcd
 */

export type MediaFile =
  | { readonly kind: 'init'; readonly windowId: string; readonly init: number }
  | { readonly kind: 'segment'; readonly windowId: string; readonly segment: number }
  | { readonly kind: 'part'; readonly windowId: string; readonly segment: number; readonly part: number };

export type PlaybackTarget =
  | { readonly kind: 'multivariant' }
  | { readonly kind: 'media-playlist'; readonly session: string; readonly rendition: string }
  /** Where players post CMCD events; those that know their session name it. */
  | { readonly kind: 'beacons'; readonly session: string | undefined }
  | { readonly kind: 'media'; readonly rendition: string; readonly file: MediaFile };

export interface PlaybackPath {
  readonly playbackId: string;
  /** Playback token of a private stream. */
  readonly token: string | undefined;
  readonly target: PlaybackTarget;
}

const idPattern = /^[A-Za-z0-9_-]{1,64}$/;
const tokenPattern = /^[\w-]+\.[\w-]+\.[\w-]+$/;
export const renditionPattern = /^[a-z][a-z0-9-]{0,31}$/;
const filePattern = /^([a-z0-9]{6,24})-(?:init(\d{1,9})\.mp4|(\d{1,15})(?:\.(\d{1,6}))?\.m4s)$/;
const index = 'index.m3u8';
const beacons = 'cmcd';

/** Parses a path (without query); undefined for one that cannot name anything here. */
export function parsePlaybackPath(path: string): PlaybackPath | undefined {
  const [empty, live, playbackId, ...rest] = path.split('/', 9);
  if (empty !== '' || live !== 'live' || playbackId === undefined || !idPattern.test(playbackId)) return undefined;
  const first = rest[0] ?? '';
  const token = rest.length > 1 && tokenPattern.test(first) && first.length <= 1024 ? first : undefined;
  const target = parseTarget(token === undefined ? rest : rest.slice(1));
  return target === undefined ? undefined : { playbackId, token, target };
}

function parseTarget(segments: readonly string[]): PlaybackTarget | undefined {
  const [first = '', second = '', third = '', last = ''] = segments;
  if (segments.length === 1) {
    if (first === beacons) return { kind: 'beacons', session: undefined };
    return first === index ? { kind: 'multivariant' } : undefined;
  }
  if (segments.length === 3 && first === 's') {
    return third === beacons && idPattern.test(second) ? { kind: 'beacons', session: second } : undefined;
  }
  if (segments.length === 4) {
    if (first !== 's' || last !== index || !idPattern.test(second) || !renditionPattern.test(third)) return undefined;
    return { kind: 'media-playlist', session: second, rendition: third };
  }
  const file = segments.length === 2 && renditionPattern.test(first) ? parseMediaFile(second) : undefined;
  return file === undefined ? undefined : { kind: 'media', rendition: first, file };
}

/** Parses the file name of an init section, segment or part. */
export function parseMediaFile(name: string): MediaFile | undefined {
  const [, windowId, init, segment, part] = filePattern.exec(name) ?? [];
  if (windowId === undefined) return undefined;
  if (init !== undefined) return { kind: 'init', windowId, init: Number(init) };
  if (part === undefined) return { kind: 'segment', windowId, segment: Number(segment) };
  return { kind: 'part', windowId, segment: Number(segment), part: Number(part) };
}

/** The file name of a media file. */
export function mediaFileName(file: MediaFile): string {
  if (file.kind === 'init') return `${file.windowId}-init${file.init}.mp4`;
  return file.kind === 'segment'
    ? `${file.windowId}-${file.segment}.m4s`
    : `${file.windowId}-${file.segment}.${file.part}.m4s`;
}

/** A media file's URI as it stands in a media playlist. */
export function mediaUri(rendition: string, file: MediaFile): string {
  return `../../../${rendition}/${mediaFileName(file)}`;
}

/** The media playlist of another rendition, as it stands in a media playlist. */
export function siblingPlaylistUri(rendition: string): string {
  return `../${rendition}/${index}`;
}

/** A media playlist's URI as it stands in the multivariant playlist. */
export function sessionPlaylistUri(session: string, rendition: string): string {
  return `s/${session}/${rendition}/${index}`;
}
