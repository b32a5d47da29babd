/** docs/metrics.md once more, in plain loops over facts in memory: what the SQL must give. */
import type { Beacon, ViewerFact } from '@millrace/events';
import { openSessionMs, type Question } from '../src/core/viewer-filter.ts';

export interface ModelSession {
  readonly sessionId: string;
  readonly streamId: string;
  readonly viewerHash: string;
  readonly country: string;
  readonly device: string;
  readonly startedMs: number;
  readonly whole: readonly Span[];
  readonly hasLeft: boolean;
  readonly beacons: readonly Beacon[];
}
type Span = readonly [start: number, end: number];
export type ModelValues = Record<string, number | null>;

/** Sessions that the filter of `question` picks, as they are known at its `nowMs`. */
export function modelSessions(
  facts: readonly ViewerFact[],
  beacons: readonly Beacon[],
  question: Question,
): ModelSession[] {
  const { filter } = question;
  const ids = new Set(facts.map((fact) => fact.session_id));
  const sessions: ModelSession[] = [];
  for (const sessionId of ids) {
    const own = unique(facts.filter((fact) => fact.session_id === sessionId));
    const reports = beacons.filter((beacon) => beacon.session_id === sessionId);
    const joins = own.filter((fact) => fact.type === 'ViewerJoined').sort(byTimeAndInstance);
    const first = joins[0];
    if (first === undefined) continue;
    const lastSeen = Math.max(...own.map((f) => f.at_ms), ...reports.map((b) => b.at_ms));
    const known = (name: 'country' | 'device') =>
      own
        .map((fact) => fact[name] ?? 'unknown')
        .filter((value) => value !== 'unknown')
        .sort()
        .at(-1) ?? 'unknown';
    const session = {
      ...{
        sessionId,
        streamId: first.stream_id,
        viewerHash:
          own
            .map((f) => f.viewer_hash)
            .sort()
            .at(-1) ?? '',
      },
      ...{ country: known('country'), device: known('device'), startedMs: first.at_ms, beacons: reports },
      ...stretches(joins, own, lastSeen, question),
    };
    if (filter.ownerId !== undefined && first.owner_id !== filter.ownerId) continue;
    if (filter.streamId !== undefined && session.streamId !== filter.streamId) continue;
    if (filter.country !== undefined && session.country !== filter.country) continue;
    if (filter.device !== undefined && session.device !== filter.device) continue;
    sessions.push(session);
  }
  return sessions;
}

function stretches(joins: ViewerFact[], own: ViewerFact[], lastSeen: number, { nowMs, live }: Question) {
  const whole: Span[] = [];
  let hasLeft = false;
  joins.forEach((join, i) => {
    const next = joins[i + 1]?.at_ms;
    const nextHere = Math.min(
      ...joins.filter((j) => j.instance_id === join.instance_id && j.at_ms > join.at_ms).map((j) => j.at_ms),
    );
    const left = own
      .filter((f) => f.type === 'ViewerLeft' && f.instance_id === join.instance_id)
      .filter((f) => f.at_ms >= join.at_ms && f.at_ms < nextHere)
      .sort(byTimeAndInstance)[0];
    hasLeft = left !== undefined;
    if (left?.type === 'ViewerLeft') {
      whole.push([join.at_ms, Math.min(join.at_ms + left.counted_ms, next ?? Number.POSITIVE_INFINITY)]);
    } else if (next !== undefined) whole.push([join.at_ms, next]);
    else {
      const since = live.get(join.instance_id);
      const end = Math.max(join.at_ms, lastSeen);
      const watching = since !== undefined && join.at_ms >= since;
      whole.push([join.at_ms, watching ? Math.max(end, Math.min(nowMs, lastSeen + openSessionMs)) : end]);
    }
  });
  return { whole, hasLeft };
}

/** Intervals in which the picture stood; undefined: the player did not tell. */
function rebuffers(session: ModelSession): Span[] | undefined {
  const { beacons } = session;
  const totals = new Map<number, number>();
  for (const { starved_total_ms: total, at_ms } of beacons) {
    if (total !== undefined) totals.set(total, Math.min(at_ms, totals.get(total) ?? at_ms));
  }
  if (totals.size > 0) {
    const sorted = [...totals].sort((a, b) => a[0] - b[0]);
    return sorted
      .map(([total, at], i): Span => [at - (total - (sorted[i - 1]?.[0] ?? 0)), at])
      .filter(([start, end]) => end > start);
  }
  const lengths = beacons.filter((b) => b.starved_ms !== undefined);
  if (lengths.length > 0) {
    const distinct = new Map(lengths.map((b) => [`${b.at_ms} ${b.starved_ms}`, b]));
    return [...distinct.values()].map((b): Span => [b.at_ms - (b.starved_ms ?? 0), b.at_ms]);
  }
  const told = beacons
    .filter((b) => b.mode === 'event' && b.event !== 'rr' && b.state !== undefined)
    .sort((a, b) => a.at_ms - b.at_ms || ((a.state ?? '') < (b.state ?? '') ? -1 : 1));
  if (told.length === 0) return undefined;
  const spans: Span[] = [];
  let played = false;
  let since: number | undefined;
  for (const { state, at_ms } of told) {
    if (state === 'r' && played) since ??= at_ms;
    else if (state !== 'r') {
      if (since !== undefined) spans.push([since, at_ms]);
      since = undefined;
    }
    if (state === 'p') played = true;
  }
  if (since !== undefined) spans.push([since, told.at(-1)?.at_ms ?? since]);
  return spans;
}

/** Every metric in [start, end). */
export function modelMetrics(sessions: readonly ModelSession[], start: number, end: number): ModelValues {
  const inside = (at: number) => at >= start && at < end;
  const overlap = (spans: readonly Span[]) =>
    spans.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, end) - Math.max(a, start)), 0);
  const started = sessions.filter((s) => inside(s.startedMs));
  const startups = started.flatMap((s) => startupOf(s) ?? []).sort((a, b) => a - b);
  const attempts = started.filter((s) => s.beacons.some((b) => b.state !== undefined) || startupOf(s) !== undefined);
  const states = (s: ModelSession) => new Set(s.beacons.map((b) => b.state));
  const played = (s: ModelSession) => startupOf(s) !== undefined || states(s).has('p');
  const failures = attempts.filter((s) => states(s).has('f') && !played(s));
  const exits = attempts.filter(
    (s) =>
      !played(s) &&
      !states(s).has('f') &&
      (s.hasLeft || states(s).has('q')) &&
      s.whole.reduce((sum, [a, b]) => sum + b - a, 0) >= 1000,
  );
  const timed = sessions.filter((s) => rebuffers(s) !== undefined);
  const reporting = sessions.filter((s) => s.beacons.length > 0);
  const begun = (s: ModelSession) =>
    rebuffers(s)?.map(([at]) => at) ?? [...new Set(s.beacons.filter((b) => b.starved === true).map((b) => b.at_ms))];
  const sum = (list: readonly ModelSession[], of: (s: ModelSession) => number) => list.reduce((n, s) => n + of(s), 0);
  const watch = (list: readonly ModelSession[]) => sum(list, (s) => overlap(s.whole));
  const rebuffering = ratio(100 * sum(timed, (s) => overlap(rebuffers(s) ?? [])), watch(timed));
  const reports = sessions.flatMap((s) => s.beacons.filter((b) => inside(b.at_ms)));
  const kbps = reports.flatMap((b) => videoKbps(b) ?? []);
  return {
    viewers: peak(sessions, start, end),
    unique_viewers: new Set(sessions.filter((s) => overlap(s.whole) > 0).map((s) => s.viewerHash)).size,
    views: started.length,
    watch_time_s: watch(sessions) / 1000,
    startup_time_p50_ms: startups[Math.floor(0.5 * startups.length)] ?? null,
    startup_time_p95_ms: startups[Math.floor(0.95 * startups.length)] ?? null,
    startup_failure_percentage: ratio(100 * failures.length, attempts.length),
    exit_before_start_percentage: ratio(100 * exits.length, attempts.length),
    rebuffer_percentage: rebuffering === null ? null : Math.min(100, rebuffering),
    rebuffer_frequency_per_min: ratio(60_000 * sum(reporting, (s) => begun(s).filter(inside).length), watch(reporting)),
    bitrate_kbps: kbps.length === 0 ? null : kbps.reduce((a, b) => a + b, 0) / kbps.length,
  };
}

/** Latencies reported in [start, end), sorted, for a check of percentiles by rank. */
export function modelLatencies(sessions: readonly ModelSession[], start: number, end: number): number[] {
  const reports = sessions.flatMap((s) => s.beacons.filter((b) => b.at_ms >= start && b.at_ms < end));
  return reports.flatMap((b) => b.latency_ms ?? []).sort((a, b) => a - b);
}

/** Changes of the picture's bitrate in [start, end), counted within `range`; null: no bitrate was reported in it. */
export function modelSwitches(
  sessions: readonly ModelSession[],
  range: Span,
  start: number,
  end: number,
): number | null {
  let switches = 0;
  let any = false;
  for (const { beacons } of sessions) {
    const told = beacons
      .filter((b) => b.at_ms >= range[0] && b.at_ms < range[1])
      .flatMap((b) => (videoKbps(b) === undefined ? [] : [[b.at_ms, videoKbps(b) ?? 0] as const]))
      .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    told.forEach(([at, kbps], i) => {
      if (at < start || at >= end) return;
      any = true;
      const before = told[i - 1];
      if (before !== undefined && before[1] !== kbps) switches++;
    });
  }
  return any ? switches : null;
}

function videoKbps(beacon: Beacon): number | undefined {
  if (beacon.playhead_kbps !== undefined) return beacon.playhead_kbps;
  return ['', 'v', 'av'].includes(beacon.object_type ?? '') ? beacon.bitrate_kbps : undefined;
}

function startupOf(session: ModelSession): number | undefined {
  const all = session.beacons.flatMap((b) => b.startup_ms ?? []);
  return all.length === 0 ? undefined : Math.min(...all);
}

function peak(sessions: readonly ModelSession[], start: number, end: number): number {
  const spans = sessions.flatMap((s) => s.whole).filter(([a, b]) => b > a);
  const instants = [start, ...spans.map(([a]) => a).filter((a) => a >= start && a < end)];
  return Math.max(...instants.map((at) => spans.filter(([a, b]) => a <= at && at < b).length));
}

function unique(facts: readonly ViewerFact[]): ViewerFact[] {
  return [...new Map(facts.map((fact) => [JSON.stringify(fact), fact])).values()];
}

function byTimeAndInstance(a: ViewerFact, b: ViewerFact): number {
  return a.at_ms - b.at_ms || (a.instance_id < b.instance_id ? -1 : 1);
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
