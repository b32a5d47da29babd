import { attributeList, decimal, quoted } from './attributes.ts';
import type { MultivariantPlaylistView } from './playlist-view.ts';

/** Renders a multivariant playlist (rfc8216bis 4.4.6): renditions first, then the variants, best first as given. */
export function renderMultivariantPlaylist(view: MultivariantPlaylistView): string {
  const lines = ['#EXTM3U', '#EXT-X-VERSION:9'];
  if (view.independentSegments) lines.push('#EXT-X-INDEPENDENT-SEGMENTS');
  for (const audio of view.audio) {
    lines.push(
      `#EXT-X-MEDIA:${attributeList([
        ['TYPE', 'AUDIO'],
        ['GROUP-ID', quoted(audio.group)],
        ['NAME', quoted(audio.name)],
        ['DEFAULT', audio.isDefault ? 'YES' : 'NO'],
        ['AUTOSELECT', 'YES'],
        ['CHANNELS', audio.channels === undefined ? undefined : quoted(String(audio.channels))],
        ['URI', quoted(audio.uri)],
      ])}`,
    );
  }
  for (const subtitles of view.subtitles ?? []) {
    lines.push(
      `#EXT-X-MEDIA:${attributeList([
        ['TYPE', 'SUBTITLES'],
        ['GROUP-ID', quoted(subtitles.group)],
        ['NAME', quoted(subtitles.name)],
        ['LANGUAGE', quoted(subtitles.language)],
        ['DEFAULT', subtitles.isDefault ? 'YES' : 'NO'],
        ['AUTOSELECT', 'YES'],
        ['FORCED', 'NO'],
        ['URI', quoted(subtitles.uri)],
      ])}`,
    );
  }
  for (const variant of view.variants) {
    const { width, height, frameRate, audioGroup, subtitlesGroup } = variant;
    lines.push(
      `#EXT-X-STREAM-INF:${attributeList([
        ['BANDWIDTH', Math.ceil(variant.bandwidthBps)],
        ['AVERAGE-BANDWIDTH', Math.ceil(variant.averageBandwidthBps)],
        ['CODECS', quoted(variant.codecs.join(','))],
        ['RESOLUTION', width !== undefined && height !== undefined ? `${width}x${height}` : undefined],
        ['FRAME-RATE', frameRate === undefined ? undefined : decimal(frameRate, 3)],
        ['AUDIO', audioGroup === undefined ? undefined : quoted(audioGroup)],
        ['SUBTITLES', subtitlesGroup === undefined ? undefined : quoted(subtitlesGroup)],
      ])}`,
      variant.uri,
    );
  }
  return `${lines.join('\n')}\n`;
}
