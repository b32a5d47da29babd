/** Generated viewers: stretches at two instances, players of every kind, facts lost, doubled and out of order. */
import type { Beacon, PlayState, ViewerFact } from '@millrace/events';
import fc from 'fast-check';

/** 2026-01-02T03:00:00Z, a whole hour. */
export const startMs = 1_767_322_800_000;
const minute = 60_000;
export const nowMs = startMs + 14 * minute + 1_234;
/** i-dead went away without a word; i-new was started anew within the range. */
export const live: ReadonlyMap<string, number> = new Map([
  ['i-live', startMs - 60 * minute],
  ['i-new', startMs + 4 * minute],
]);

export interface GeneratedFacts {
  readonly viewers: readonly ViewerFact[];
  readonly beacons: readonly Beacon[];
}

const stretch = fc.record({
  instance: fc.constantFrom('i-live', 'i-new', 'i-dead'),
  gapMs: fc.integer({ min: -5_000, max: 90_000 }),
  countedMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 7 * minute })),
  silenceMs: fc.integer({ min: 0, max: 20_000 }),
  left: fc.boolean(),
});
const report = fc.record({
  afterMs: fc.integer({ min: 0, max: 6 * minute }),
  state: fc.constantFrom<PlayState>('s', 'p', 'p', 'r', 'r', 'a', 'f', 'q'),
  event: fc.constantFrom('ps', 't', 'rr'),
  latencyMs: fc.option(fc.integer({ min: 300, max: 9_000 }), { nil: undefined }),
  kbps: fc.option(fc.constantFrom(300, 1_200, 2_500), { nil: undefined }),
  object: fc.constantFrom('v', 'a', 'av'),
  starved: fc.boolean(),
  ms: fc.integer({ min: 0, max: 4_000 }),
});
const session = fc.record({
  stream: fc.constantFrom('1', '2'),
  beginMs: fc.integer({ min: -5 * minute, max: 12 * minute }),
  viewer: fc.constantFrom('v1', 'v2', 'v3'),
  country: fc.constantFrom('DE', 'FR', undefined),
  device: fc.constantFrom('desktop' as const, 'tv' as const, 'unknown' as const),
  stretches: fc.array(stretch, { minLength: 1, maxLength: 3 }),
  kind: fc.constantFrom('none', 'v1', 'event', 'totals', 'lengths'),
  startup: fc.option(fc.integer({ min: 50, max: 5_000 }), { nil: undefined }),
  reports: fc.array(report, { maxLength: 8 }),
});
type Session = typeof session extends fc.Arbitrary<infer T> ? T : never;

/** Facts of one owner whose ids carry `tag`, so that runs do not meet. */
export function factsArbitrary(tag: () => string): fc.Arbitrary<GeneratedFacts> {
  return fc.array(session, { minLength: 1, maxLength: 12 }).map((sessions) => {
    const name = tag();
    const made = sessions.map((one, i) => factsOf(one, `ses_${name}_${i}`, name));
    return { viewers: made.flatMap((one) => one.viewers), beacons: made.flatMap((one) => one.beacons) };
  });
}

function factsOf(given: Session, sessionId: string, tag: string): GeneratedFacts {
  const begin = startMs + given.beginMs;
  const ids = { session_id: sessionId, stream_id: `str_${tag}_${given.stream}`, owner_id: `own_${tag}` };
  const viewers: ViewerFact[] = [];
  let at = begin;
  given.stretches.forEach((one, i) => {
    const common = {
      ...{ ...ids, playback_id: 'play', instance_id: one.instance, joined_at_ms: begin, viewer_hash: given.viewer },
      ...{ device: given.device, player: 'chrome', ...(given.country === undefined ? {} : { country: given.country }) },
    };
    if (i > 0) at = Math.max(at + 1, at + one.gapMs);
    viewers.push({ ...common, type: 'ViewerJoined', at_ms: at, resumed: i > 0 });
    const leftAt = at + one.countedMs + one.silenceMs;
    if (one.left) {
      viewers.push({ ...common, type: 'ViewerLeft', at_ms: leftAt, reason: 'silent', counted_ms: one.countedMs });
    }
    at = leftAt;
  });
  return { viewers, beacons: given.kind === 'none' ? [] : given.reports.map((one, i) => beaconOf(given, one, i, ids)) };
}

type Ids = Pick<Beacon, 'session_id' | 'stream_id' | 'owner_id'>;
function beaconOf(given: Session, one: Session['reports'][number], i: number, ids: Ids): Beacon {
  const common = {
    ...{ type: 'BeaconReceived' as const, ...ids, instance_id: 'i-live', object_type: one.object },
    ...{ at_ms: startMs + given.beginMs + one.afterMs, latency_ms: one.latencyMs, bitrate_kbps: one.kbps },
    ...(i === 0 && given.kind !== 'v1' ? { startup_ms: given.startup } : {}),
  };
  const v2 = { ...common, version: 2 as const, mode: 'event' as const, event: one.event, state: one.state };
  switch (given.kind) {
    case 'v1':
      return { ...common, version: 1, mode: 'query', starved: one.starved };
    case 'totals':
      return { ...v2, starved_total_ms: one.ms };
    case 'lengths':
      return one.starved ? { ...v2, starved_ms: one.ms } : v2;
    default:
      return v2;
  }
}
