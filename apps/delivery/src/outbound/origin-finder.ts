/**
 * Which origin has a stream. The one that had it last is asked first; without one, origins in order of rendezvous
 * hashing, those that failed a moment ago left out. In doubt (the stream stands still there) all are asked, and the window
 * with the highest epoch is the true one.
 */
import type { Clock } from '@millrace/clock';
import { rankOrigins } from '@millrace/handover';
import type { StreamId } from '@millrace/ids';
import type { Logger } from '@millrace/log';
import { OriginHealth } from '../core/origin-health.ts';
import { decodeFacts, originPathOf, type StreamFacts } from '../core/origin-wire.ts';
import type { Absence, Outcome } from '../core/playback-source.ts';
import { ShortMemory } from '../core/short-memory.ts';
import type { UpstreamMetrics } from '../metrics.ts';
import type { OriginClient, OriginReply, OriginRequest } from './origin-client.ts';

export interface OriginFinderOptions {
  readonly origins: readonly OriginClient[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: UpstreamMetrics;
  /** Pause after failure number `attempt` of an origin, ms. */
  readonly backoff: (attempt: number) => number;
}

export interface Located {
  readonly origin: OriginClient;
  readonly facts: StreamFacts;
}

interface Home {
  readonly origin: OriginClient;
  readonly facts: StreamFacts;
  /** Since when the stream is not there any more, monotonic ms: it is on its way to another origin. */
  lostMs: number | undefined;
  /** When it last gave a playlist or facts, monotonic ms. */
  goodMs: number;
}

/** Facts and absences of streams are believed for this long, ms. */
const factsMs = 1_000;
const factsTimeoutMs = 2_000;
const mostFactsBytes = 64 * 1024;
/** Streams remembered; the least recently found go first. */
const mostStreams = 10_000;
/** A stream that left its origin is looked for this long before it counts as over, ms. */
const moveMs = 15_000;

export class OriginFinder {
  readonly #options: OriginFinderOptions;
  readonly #health: OriginHealth;
  readonly #homes = new Map<StreamId, Home>();
  readonly #fresh = new ShortMemory<Outcome<Located>>(mostStreams);
  readonly #searches = new Map<StreamId, Promise<Outcome<Located>>>();

  constructor(options: OriginFinderOptions) {
    this.#options = options;
    this.#health = new OriginHealth(options.backoff);
  }

  /** Origins that are left alone for the moment. */
  get away(): number {
    return this.#health.away(this.#options.clock.monotonicMs());
  }

  /** Where the stream is, as far as is known. */
  home(streamId: StreamId): Located | undefined {
    const home = this.#homes.get(streamId);
    return home === undefined || home.lostMs !== undefined ? undefined : home;
  }

  /** Whether the stream left its origin a moment ago and may go on at another. */
  isMoving(streamId: StreamId): boolean {
    const lostMs = this.#homes.get(streamId)?.lostMs;
    return lostMs !== undefined && this.#options.clock.monotonicMs() - lostMs < moveMs;
  }

  /** The stream is still where it was found. */
  confirm(streamId: StreamId): void {
    const home = this.#homes.get(streamId);
    if (home !== undefined) home.goodMs = this.#options.clock.monotonicMs();
  }

  /** The stream is not at `origin` any more, or it does not answer. */
  lost(streamId: StreamId, origin: OriginClient, reason: string): void {
    const home = this.#homes.get(streamId);
    if (home?.origin !== origin || home.lostMs !== undefined) return;
    const nowMs = this.#options.clock.monotonicMs();
    this.#fresh.delete(streamId);
    if (nowMs - home.goodMs > moveMs) return void this.#homes.delete(streamId); // over, rather than on its way
    home.lostMs = nowMs;
    this.#options.metrics.originMoves.inc({ reason });
    this.#options.log.info('origin-lost', { stream_id: streamId, origin: origin.name, reason });
  }

  forget(streamId: StreamId): void {
    this.#homes.delete(streamId);
    this.#fresh.delete(streamId);
  }

  /** Facts of a stream that are at most a second old, or why there are none; `inDoubt`: ask all origins anew. */
  find(streamId: StreamId, inDoubt = false): Promise<Outcome<Located>> {
    const known = this.#fresh.get(streamId, this.#options.clock.monotonicMs());
    if (known !== undefined && !inDoubt && !(known.kind !== 'found' && this.isMoving(streamId))) {
      return Promise.resolve(known);
    }
    const running = this.#searches.get(streamId);
    if (running !== undefined) return running;
    const search = this.#search(streamId, inDoubt).finally(() => this.#searches.delete(streamId));
    this.#searches.set(streamId, search);
    return search;
  }

  /** Asks an origin, and remembers whether it answers. */
  async ask(origin: OriginClient, request: OriginRequest, resource: string): Promise<OriginReply> {
    const { clock, metrics, log } = this.#options;
    const startMs = clock.monotonicMs();
    metrics.requests.inc({ resource });
    const reply = await origin.get(request);
    metrics.seconds.observe({ resource }, (clock.monotonicMs() - startMs) / 1_000);
    if (reply.kind !== 'failed') {
      this.#health.answered(origin.name);
      return reply;
    }
    metrics.errors.inc({ reason: reply.reason });
    switch (reply.reason) {
      case 'cancelled':
      case 'too-busy':
      case 'too-long':
        break;
      default:
        if (this.#health.mayAsk(origin.name, clock.monotonicMs())) {
          log.warn('origin-failed', { origin: origin.name, reason: reply.reason, message: reply.message });
        }
        this.#health.failed(origin.name, clock.monotonicMs());
    }
    return reply;
  }

  /** Origins worth asking, by rank; when all are left alone, all: one of them may be back. */
  candidates(streamId: StreamId): readonly OriginClient[] {
    const { origins, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const ranked = rankOrigins(
      streamId,
      origins.map(({ name }) => name),
    ).flatMap((name) => origins.find((origin) => origin.name === name) ?? []);
    const worth = ranked.filter(({ name }) => this.#health.mayAsk(name, nowMs));
    return worth.length > 0 ? worth : ranked;
  }

  async #search(streamId: StreamId, inDoubt: boolean): Promise<Outcome<Located>> {
    const outcome = await this.#locate(streamId, inDoubt);
    this.#fresh.set(streamId, outcome, this.#options.clock.monotonicMs() + factsMs);
    if (outcome.kind !== 'found') return outcome;
    const { origin, facts } = outcome.value;
    this.#homes.delete(streamId); // so that the map stays in order of last use
    this.#homes.set(streamId, { origin, facts, lostMs: undefined, goodMs: this.#options.clock.monotonicMs() });
    if (this.#homes.size > mostStreams) this.#homes.delete([...this.#homes.keys()][0] ?? streamId);
    return outcome;
  }

  async #locate(streamId: StreamId, inDoubt: boolean): Promise<Outcome<Located>> {
    const ranked = this.candidates(streamId);
    const home = this.home(streamId)?.origin;
    if (inDoubt) return best(await Promise.all(ranked.map((origin) => this.#facts(streamId, origin))));
    const outcomes: Outcome<Located>[] = [];
    for (const origin of home === undefined ? ranked : [home, ...ranked.filter((other) => other !== home)]) {
      const outcome = await this.#facts(streamId, origin);
      if (outcome.kind === 'found' && !outcome.value.facts.ended) return outcome;
      outcomes.push(outcome);
    }
    return best(outcomes);
  }

  async #facts(streamId: StreamId, origin: OriginClient): Promise<Outcome<Located>> {
    const path = originPathOf({ kind: 'facts', streamId });
    const reply = await this.ask(origin, { path, timeoutMs: factsTimeoutMs, maxBytes: mostFactsBytes }, 'facts');
    if (reply.kind === 'absent') return reply.absence;
    if (reply.kind === 'failed') return { kind: 'unavailable', reason: 'origin-away', detail: 'no origin answers' };
    const facts = decodeFacts(reply.bytes.toString('utf8'));
    if (facts !== undefined) return { kind: 'found', value: { origin, facts } };
    this.#options.metrics.errors.inc({ reason: 'bad-answer' });
    return { kind: 'unavailable', reason: 'origin-away', detail: 'the origin gave no facts' };
  }
}

/** The live window with the highest epoch, else an ended one, else the absence that says most. */
function best(outcomes: readonly Outcome<Located>[]): Outcome<Located> {
  const found = outcomes.flatMap((outcome) => (outcome.kind === 'found' ? [outcome.value] : []));
  const weight = ({ facts }: Located) => (facts.ended ? 0 : facts.epoch);
  const [first] = found.sort((a, b) => weight(b) - weight(a));
  if (first !== undefined) return { kind: 'found', value: first };
  const absences = outcomes.flatMap((outcome): Absence[] => (outcome.kind === 'found' ? [] : [outcome]));
  // An origin that did not answer may be the one that has it: only when all did is there nothing.
  return absences.find(({ kind }) => kind === 'unavailable') ?? absences[0] ?? { kind: 'not-live' };
}
