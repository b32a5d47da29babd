/**
 * A model of several deliveries that hear the same viewers: random routing, deaths, restarts, viewers that come and go, and a
 * log that everybody reads late, each by his own delay. The truth is known, so it can be compared at every step.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AudienceCounts } from './audience-counts.ts';
import { deadAfterMs, PeerInstances } from './peer-instances.ts';
import { RecentOwners } from './recent-owners.ts';
import { homeTag, mintSessionId, parseSessionId } from './session-id.ts';
import { SessionLimits } from './session-limits.ts';
import { SessionOwners } from './session-owners.ts';
import { type SessionWord, ViewerSessions } from './viewer-sessions.ts';

type Entry =
  | { readonly kind: 'seen'; readonly atMs: number; readonly id: string; readonly incarnation: number }
  | { readonly kind: 'word'; readonly atMs: number; readonly word: SessionWord };

const wallMs = 1_800_000_000_000;
const stepMs = 100;
/** What a reload is worth where a balancer may spread them over several instances. */
const allowanceMs = 10_000;
const streamId = 'str_1';

class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }
  next(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state / 2 ** 32;
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
}

class Instance {
  sessions!: ViewerSessions;
  peers!: PeerInstances;
  up = false;
  incarnation = 0;
  diedAtMs = Number.NEGATIVE_INFINITY;
  lastSeenMs = Number.NEGATIVE_INFINITY;
  #read = 0;
  readonly id: string;
  readonly #log: Entry[];

  constructor(id: string, log: Entry[]) {
    this.id = id;
    this.#log = log;
  }

  start(nowMs: number): void {
    this.up = true;
    this.incarnation++;
    this.peers = new PeerInstances(this.id);
    const latest = new Map(this.#log.flatMap((entry) => (entry.kind === 'seen' ? [[entry.id, entry] as const] : [])));
    for (const { id, incarnation, atMs } of latest.values()) this.peers.seen(id, incarnation, true, atMs);
    this.#read = this.#log.length;
    const say = (kind: SessionWord['kind'], sessionId: string) =>
      this.#log.push({ kind: 'word', atMs: this.nowMs, word: { sessionId, instanceId: this.id, kind } });
    const recent = new RecentOwners(10_000, nowMs);
    this.nowMs = nowMs;
    this.sessions = new ViewerSessions({
      owners: new SessionOwners({ instanceId: this.id, peers: this.peers, recent, startedAtMs: wallMs + nowMs }),
      limits: new SessionLimits({ mostSessions: 1e6, mostPerStream: 1e6, mostPerAddress: 1e6, startsPerSecond: 1e6 }),
      audience: new AudienceCounts(),
      observer: {
        joined: (session) => void say('joined', session.id),
        left: (session, reason) => void say(reason, session.id),
        refused: () => {
          throw new Error('refused');
        },
        forgotten: () => {},
      },
    });
  }
  nowMs = 0;

  tick(nowMs: number, lagMs: number): void {
    this.nowMs = nowMs;
    for (; this.#read < this.#log.length; this.#read++) {
      const entry = this.#log[this.#read]!;
      if (entry.atMs + lagMs > nowMs) break;
      if (entry.kind === 'seen') {
        if (this.peers.seen(entry.id, entry.incarnation, true, nowMs)) this.sessions.restarted(entry.id, nowMs);
      } else if (entry.word.instanceId === this.id) {
        if (entry.word.kind === 'joined') this.sessions.ownJoinSeen(entry.word.sessionId, nowMs);
        else this.sessions.ownLeaveSeen(entry.word.sessionId, nowMs);
      } else this.sessions.word(entry.word, nowMs);
    }
    this.sessions.settle(nowMs);
    if (nowMs % 1_000 === 0) this.sessions.sweep(nowMs);
    if (nowMs - this.lastSeenMs >= 2_000) {
      this.lastSeenMs = nowMs;
      this.#log.push({ kind: 'seen', atMs: nowMs, id: this.id, incarnation: this.incarnation });
    }
  }

  hears(sessionId: string, nowMs: number): void {
    const known = this.sessions.find(sessionId, streamId);
    if (known !== undefined) return this.sessions.heard(known, nowMs, allowanceMs);
    this.sessions.beginById(sessionId, {
      ...{ streamId, nowMs, wallMs: wallMs + nowMs, allowanceMs },
      newcomer: () => ({
        ...{ playbackId: 'play_1', ownerId: 'own_1', addressKey: 'a' },
        profile: { viewerHash: 'h', country: undefined, device: 'desktop', player: 'chrome' },
      }),
    });
  }

  /** Whether the hub counts the session for this instance: a dead one's counts stay until they expire. */
  counts(sessionId: string, nowMs: number): boolean {
    if (!this.up && nowMs - this.lastSeenMs > deadAfterMs) return false;
    return this.sessions.find(sessionId, streamId)?.state.kind === 'counted';
  }
}

interface Viewer {
  readonly id: string;
  readonly everyMs: number;
  readonly sticky: boolean;
  readonly sinceMs: number;
  at: number;
  nextMs: number;
  alive: boolean;
}

interface Run {
  /** Steps in which somebody was counted twice. */
  readonly twice: number;
  readonly watching: number;
  readonly counted: number;
  readonly ghosts: number;
  /** Steps of viewers who have been there for five seconds: in truth, and those in which nobody counted them. */
  readonly truth: number;
  readonly missed: number;
}

function run(
  seed: number,
  options: { readonly deaths: boolean; readonly spread: boolean; readonly lagMs: number },
): Run {
  const random = new Random(seed);
  const log: Entry[] = [];
  const instances = ['edge-1', 'edge-2', 'edge-3'].map((id) => new Instance(id, log));
  const lags = instances.map(() => random.below(options.lagMs));
  const viewers: Viewer[] = [];
  let nowMs = 0;
  let [twice, truth, missed] = [0, 0, 0];
  for (const instance of instances) instance.start(0);
  const ups = () => instances.map((_, i) => i).filter((i) => instances[i]!.up);
  const anyUp = () => ups()[random.below(ups().length)]!;
  const ids = {
    nowMs: () => wallMs + nowMs,
    random: (bytes: Uint8Array) => bytes.map(() => random.below(256)),
  };
  const step = (busy: boolean) => {
    if (busy && random.next() < 0.1 && viewers.length < 60) {
      const minted = mintSessionId(ids, homeTag(instances[anyUp()]!.id));
      const sticky = !options.spread || random.next() < 0.5;
      viewers.push({
        ...{ id: minted, sinceMs: nowMs, everyMs: 300 + random.below(1_200), sticky, at: anyUp() },
        ...{ nextMs: nowMs + random.below(300), alive: true },
      });
    }
    if (busy && random.next() < 0.03) {
      const viewer = viewers[random.below(viewers.length)];
      if (viewer !== undefined) viewer.alive = false;
    }
    if (busy && options.deaths && random.next() < 0.006) {
      const victim = instances[random.below(3)]!;
      if (!victim.up) victim.start(nowMs);
      else if (ups().length > 1) victim.up = false;
    }
    for (const viewer of viewers) {
      if (!viewer.alive || nowMs < viewer.nextMs) continue;
      if ((busy && !viewer.sticky) || !instances[viewer.at]!.up) viewer.at = anyUp();
      instances[viewer.at]!.hears(viewer.id, nowMs);
      viewer.nextMs = nowMs + viewer.everyMs;
    }
    for (const [i, instance] of instances.entries()) {
      if (busy) lags[i] = Math.max(0, Math.min(options.lagMs, lags[i]! + random.below(201) - 100));
      if (instance.up) instance.tick(nowMs, lags[i]!);
    }
    for (const viewer of viewers) {
      const by = instances.filter((instance) => instance.counts(viewer.id, nowMs)).length;
      if (by > 1) twice++;
      if (!viewer.alive || nowMs - viewer.sinceMs < 5_000) continue;
      truth++;
      if (by === 0) missed++;
    }
    nowMs += stepMs;
  };
  for (let i = 0; i < 600; i++) step(true);
  for (let i = 0; i < 450; i++) step(false);
  const countedOf = (viewer: Viewer) =>
    instances.filter((instance) => instance.counts(viewer.id, nowMs - stepMs)).length;
  const alive = viewers.filter((viewer) => viewer.alive);
  return {
    ...{ twice, truth, missed, watching: alive.length },
    counted: alive.reduce((sum, viewer) => sum + countedOf(viewer), 0),
    ghosts: viewers.filter((viewer) => !viewer.alive && countedOf(viewer) > 0).length,
  };
}

describe('viewers of several deliveries', () => {
  it('are never counted twice and, when it is quiet, each exactly once, whoever dies or begins anew', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { twice, counted, watching, ghosts } = run(seed, { deaths: true, spread: true, lagMs: 700 });
        expect({ twice, counted, ghosts }).toEqual({ twice: 0, counted: watching, ghosts: 0 });
      }),
      { numRuns: 60 },
    );
  });

  it('are counted 96 % of their time and more, though their requests go to one instance and the other', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { truth, missed } = run(seed, { deaths: false, spread: true, lagMs: 300 });
        expect(missed / Math.max(1, truth)).toBeLessThan(0.04);
      }),
      { numRuns: 20 },
    );
  });

  it('have ids by which every instance knows their home', () => {
    const id = mintSessionId({ nowMs: () => wallMs, random: (bytes) => bytes.fill(7) }, homeTag('edge-1'));
    expect(parseSessionId(id)).toEqual({ id, home: homeTag('edge-1'), mintedAtMs: wallMs });
    expect(homeTag('edge-1')).not.toBe(homeTag('edge-2'));
  });
});
