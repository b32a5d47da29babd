/**
 * CMCD v2 event reports (CTA-5004-B) as text, one report a line: what hls.js wrote, with the measurements that hls.js 1.7 does
 * not make. A line is a dictionary of structured fields (RFC 9651), so members can be added at its end. Pure.
 */

/** What is known of the playing at the moment, all counted from its start. */
export interface PlayMeasures {
  /** From the start of loading to the first frame that moved, ms (`msd`); undefined until then. */
  readonly startupMs: number | undefined;
  /** How often the picture stopped for lack of media (`bsa`), and for how long in all, ms (`bsda`). */
  readonly starvedCount: number;
  readonly starvedTotalMs: number;
  /** Length of the stop that has ended since the last report, ms (`bsd`). */
  readonly starvedMs: number | undefined;
  /** Behind the live edge, ms (`ltc`). */
  readonly latencyMs: number | undefined;
  /** Frames that were decoded too late to be shown (`dfa`). */
  readonly droppedFrames: number | undefined;
  /** Bitrate of the rendition on the screen and of the best one, kbit/s (`pb`, `tpb`). */
  readonly playheadKbps: number | undefined;
  readonly topKbps: number | undefined;
  /** Measured throughput, kbit/s (`mtp`). */
  readonly throughputKbps: number | undefined;
}

/** The members that hls.js may have written itself are left to it. */
export function withMeasures(line: string, measures: PlayMeasures): string {
  const written = new Set(line.split(',').map((member) => member.split('=', 1)[0]));
  const added = Object.entries(membersOf(measures))
    .filter(([key]) => !written.has(key))
    .map(([key, value]) => `,${key}=${value}`);
  return line + added.join('');
}

/** The report that the viewer has left: the player is gone before it could say so. */
export function quitLine(sessionId: string, sequence: number, atMs: number, measures: PlayMeasures): string {
  return withMeasures(`e=ps,sid="${sessionId}",sn=${sequence},sta=q,ts=${atMs},v=2`, measures);
}

/** In v2 bitrates, latencies of buffers and counts of starvation are inner lists; times and `dfa` are plain. */
function membersOf(measures: PlayMeasures): Readonly<Record<string, string>> {
  const members: Record<string, string> = {};
  const put = (key: string, value: number | undefined, list = false) => {
    if (value === undefined || !Number.isFinite(value) || value < 0) return;
    members[key] = list ? `(${Math.round(value)})` : String(Math.round(value));
  };
  put('msd', measures.startupMs);
  put('bsa', measures.starvedCount, true);
  put('bsda', measures.starvedTotalMs, true);
  put('bsd', measures.starvedMs, true);
  put('ltc', measures.latencyMs);
  put('dfa', measures.droppedFrames);
  put('pb', measures.playheadKbps, true);
  put('tpb', measures.topKbps, true);
  put('mtp', measures.throughputKbps, true);
  return members;
}

/**
 * Where the reports of a playing go: to its session, which the path of the media playlist names
 * (`/live/{playbackId}[/{token}]/s/{session}/...`), else beside the multivariant playlist, where the server looks the session up.
 */
export function reportPath(multivariantPath: string, mediaPlaylistUrl: string | undefined): string {
  if (mediaPlaylistUrl !== undefined) {
    const session = /^(.*\/s\/[^/]+)\//.exec(new URL(mediaPlaylistUrl, 'http://any').pathname)?.[1];
    if (session !== undefined) return `${session}/cmcd`;
  }
  const path = new URL(multivariantPath, 'http://any').pathname;
  return `${path.slice(0, path.lastIndexOf('/'))}/cmcd`;
}
