/** Static MPD (ISO 23009-1) over CMAF segments: SegmentTemplate with a SegmentTimeline, which every player knows. */

import type {
  DashAudio,
  DashCaptions,
  DashPresentation,
  DashSegment,
  DashTrack,
  DashVideo,
} from './presentation-view.ts';
import { element, type XmlElement } from './xml.ts';

/** Renders the presentation. Throws on a track without segments, which is a mistake of the caller. */
export function renderPresentation(view: DashPresentation): string {
  const longestS = [...view.video, ...view.audio]
    .flatMap((track) => track.segments.map((segment) => segment.durationTicks / track.timescale))
    .reduce((longest, seconds) => Math.max(longest, seconds), 1);
  const mpd = element(
    'MPD',
    {
      xmlns: 'urn:mpeg:dash:schema:mpd:2011',
      profiles: 'urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019',
      type: 'static',
      mediaPresentationDuration: duration(view.durationMs / 1_000),
      maxSegmentDuration: duration(longestS),
      minBufferTime: duration(Math.min(4, longestS)),
    },
    element('Period', { id: '0', start: 'PT0S', duration: duration(view.durationMs / 1_000) }, ...adaptationSets(view)),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${mpd.text}\n`;
}

function adaptationSets({ video, audio, captions }: DashPresentation): readonly XmlElement[] {
  const sets: XmlElement[] = [];
  const common = { segmentAlignment: 'true', startWithSAP: '1' };
  if (video.length > 0) {
    const attributes = { contentType: 'video', mimeType: 'video/mp4', ...common };
    sets.push(element('AdaptationSet', { id: '1', ...attributes }, role('main'), ...video.map(videoRepresentation)));
  }
  if (audio.length > 0) {
    const attributes = { contentType: 'audio', mimeType: 'audio/mp4', ...common };
    sets.push(element('AdaptationSet', { id: '2', ...attributes }, role('main'), ...audio.map(audioRepresentation)));
  }
  captions.forEach((one, i) => sets.push(captionsSet(one, String(3 + i))));
  return sets;
}

function videoRepresentation(track: DashVideo): XmlElement {
  const { num, den } = track.frameRate;
  const frameRate = den === 1 ? String(num) : `${num}/${den}`;
  const attributes = { ...trackAttributes(track), width: track.width, height: track.height, frameRate, sar: '1:1' };
  return element('Representation', attributes, template(track));
}

function audioRepresentation(track: DashAudio): XmlElement {
  const channels = element('AudioChannelConfiguration', {
    schemeIdUri: 'urn:mpeg:dash:23003:3:audio_channel_configuration:2011',
    value: track.channels,
  });
  const attributes = { ...trackAttributes(track), audioSamplingRate: track.sampleRate };
  return element('Representation', attributes, channels, template(track));
}

function captionsSet({ id, language, name, uri }: DashCaptions, setId: string): XmlElement {
  return element(
    'AdaptationSet',
    { id: setId, contentType: 'text', mimeType: 'text/vtt', lang: language },
    role('subtitle'),
    element('Label', {}, name),
    element('Representation', { id, bandwidth: 256 }, element('BaseURL', {}, uri)),
  );
}

function role(value: string): XmlElement {
  return element('Role', { schemeIdUri: 'urn:mpeg:dash:role:2011', value });
}

function trackAttributes(track: DashTrack): {
  readonly id: string;
  readonly bandwidth: number;
  readonly codecs: string;
} {
  return { id: track.id, bandwidth: Math.ceil(track.bandwidthBps), codecs: track.codec };
}

function template({ id, timescale, initUri, mediaUri, segments }: DashTrack): XmlElement {
  if (segments.length === 0) throw new Error(`track ${id}: expected segments, got none`);
  const attributes = { timescale, initialization: initUri, media: mediaUri };
  return element('SegmentTemplate', attributes, element('SegmentTimeline', {}, ...timeline(segments)));
}

/** Neighbours of one length in one `S`; `t` stands where a segment does not begin at the end of the one before. */
function timeline(segments: readonly DashSegment[]): readonly XmlElement[] {
  const runs: { readonly t: number | undefined; readonly d: number; repeats: number }[] = [];
  let expected: number | undefined;
  for (const { startTicks, durationTicks } of segments) {
    const run = runs.at(-1);
    if (run !== undefined && startTicks === expected && run.d === durationTicks) run.repeats++;
    else runs.push({ t: startTicks === expected ? undefined : startTicks, d: durationTicks, repeats: 0 });
    expected = startTicks + durationTicks;
  }
  return runs.map(({ t, d, repeats }) => element('S', { t, d, r: repeats === 0 ? undefined : repeats }));
}

/** `PT12.345S`. */
function duration(seconds: number): string {
  return `PT${Number(seconds.toFixed(3))}S`;
}
