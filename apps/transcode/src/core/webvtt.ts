/** WebVTT (W3C, https://www.w3.org/TR/webvtt1/): a whole file, and its segments for HLS (RFC 8216bis, 3.1.4). */
import type { Cue } from './subtitle-cues.ts';

/** The whole file. */
export function renderWebVtt(cues: readonly Cue[]): string {
  return `WEBVTT\n${cues.map(renderCue).join('')}`;
}

export interface VttSegment {
  readonly text: string;
  readonly durationMs: number;
}

/**
 * The file in segments of `segmentMs` that cover `durationMs`. A cue that crosses a border is in both segments, with its whole time:
 * players show it once. The header maps 0 of the cues to 0 of the media, which is where our renditions begin.
 */
export function segmentWebVtt(cues: readonly Cue[], durationMs: number, segmentMs: number): readonly VttSegment[] {
  const segments: VttSegment[] = [];
  for (let start = 0; start < durationMs; start += segmentMs) {
    const end = Math.min(start + segmentMs, durationMs);
    const inside = cues.filter((cue) => cue.startMs < end && cue.endMs > start);
    const text = `WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n${inside.map(renderCue).join('')}`;
    segments.push({ text, durationMs: end - start });
  }
  return segments;
}

function renderCue({ startMs, endMs, lines }: Cue): string {
  const text = lines.map(escapeText).join('\n');
  return `\n${timestamp(startMs)} --> ${timestamp(endMs)}\n${text}\n`;
}

/** `hh:mm:ss.ttt`; hours grow beyond two digits. */
function timestamp(ms: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(ms / 3_600_000);
  const rest = ms % 3_600_000;
  const thousandths = String(rest % 1_000).padStart(3, '0');
  return `${two(hours)}:${two(Math.floor(rest / 60_000))}:${two(Math.floor((rest % 60_000) / 1_000))}.${thousandths}`;
}

/** Text of a cue cannot hold `-->`, tags or references of its own. */
function escapeText(line: string): string {
  return line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
