/**
 * Playback from origins: identical requests become one, playlists are passed on byte for byte, media are kept. When a
 * stream leaves its origin, those who wait for its playlists are held until it goes on at another (docs/decisions/0059).
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Clock, sleep } from '@millrace/clock';
import type { StreamId } from '@millrace/ids';
import type { ByteCache } from '../core/byte-cache.ts';
import { LatestPlaylists } from '../core/latest-playlist.ts';
import { type OriginTarget, originPathOf, targetDurationHeader } from '../core/origin-wire.ts';
import { mediaFileName } from '../core/playback-path.ts';
import {
  type Absence,
  type Answer,
  answered,
  type Leave,
  type MediaAsk,
  type MediaBody,
  type MultivariantFacts,
  type Outcome,
  type PlaybackSource,
  type PlaylistAsk,
  type PlaylistBody,
} from '../core/playback-source.ts';
import { ShortMemory } from '../core/short-memory.ts';
import type { Later } from '../core/waiting-room.ts';
import type { UpstreamMetrics } from '../metrics.ts';
import type { FlightName, Flights } from './flights.ts';
import type { OriginClient, OriginReply } from './origin-client.ts';
import type { Located, OriginFinder } from './origin-finder.ts';

export interface EdgeSourceDeps {
  readonly finder: OriginFinder;
  readonly flights: Flights;
  readonly cache: ByteCache<MediaBody>;
  readonly metrics: UpstreamMetrics;
  readonly clock: Clock;
}

/** 404s are remembered for this long, as caches in front may (docs/decisions/0052). */
const absentMs = 1_000;
const mostAbsences = 20_000;
const mostPlaylists = 10_000;
const mostPlaylistBytes = 4 * 1024 * 1024;
/** A segment of the largest size that an origin takes, and what surrounds it. */
const mostMediaBytes = 33 * 1024 * 1024;
/** An origin holds a request for three target durations; it may take this much longer to say so, ms. */
const graceMs = 2_000;
/** Between two looks for a stream that left its origin, ms. */
const searchMs = 250;
/** Answers up to this size are kept joined with their head (shared-response.ts), so they take twice their size. */
const joinedBytes = 32 * 1024;
const entryBytes = 1_024;

const atOnce: Later = (work) => work();

export class EdgeSource implements PlaybackSource {
  readonly #deps: EdgeSourceDeps;
  readonly #latest = new LatestPlaylists(mostPlaylists);
  readonly #absent = new ShortMemory<Absence>(mostAbsences);

  constructor(deps: EdgeSourceDeps) {
    this.#deps = deps;
  }

  get waiting(): number {
    return this.#deps.flights.waiting;
  }

  multivariant(streamId: StreamId, answer: Answer<MultivariantFacts>): Leave {
    const begin = async (signal: AbortSignal): Promise<Outcome<MultivariantFacts>> => {
      const located = await this.#locate(streamId, signal);
      if (located.kind !== 'found') return located;
      const { facts } = located.value;
      return facts.ended ? { kind: 'ended' } : { kind: 'found', value: facts.multivariant };
    };
    return this.#join('multivariant', { key: `${streamId}/facts`, streamId, held: false }, begin, answer);
  }

  playlist({ streamId, rendition, query }: PlaylistAsk, answer: Answer<PlaylistBody>): Leave {
    const { clock, metrics } = this.#deps;
    const key = `${streamId}/${rendition}`;
    const known = this.#latest.find(key, query, clock.monotonicMs());
    metrics.cache(known === undefined ? 'miss' : 'hit', 'playlist');
    if (known !== undefined) return found(answer, known);
    const path = originPathOf({ kind: 'playlist', streamId, rendition }, query);
    const begin = async (signal: AbortSignal): Promise<Outcome<PlaylistBody>> => {
      const outcome = await this.#fetchPlaylist(streamId, path, signal);
      if (outcome.kind === 'found') this.#latest.put(key, query, outcome.value, clock.monotonicMs());
      return outcome;
    };
    return this.#join('playlist', { key: path, streamId, held: query.msn !== undefined }, begin, answer);
  }

  media(ask: MediaAsk, answer: Answer<MediaBody>): Leave {
    const { cache, clock, metrics } = this.#deps;
    const { streamId, rendition, file } = ask;
    const key = `${streamId}/${rendition}/${mediaFileName(file)}`;
    const known = cache.get(key);
    metrics.cache(known === undefined ? 'miss' : 'hit', file.kind);
    if (known !== undefined) return found(answer, known);
    const absent = this.#absent.get(key, clock.monotonicMs());
    if (absent !== undefined) {
      answer(absent, atOnce);
      return answered;
    }
    const begin = async (signal: AbortSignal): Promise<Outcome<MediaBody>> => {
      const outcome = await this.#fetchMedia({ kind: 'media', ...ask }, signal);
      if (outcome.kind === 'found') {
        const { size, body } = outcome.value;
        cache.put(key, body, entryBytes + size + (size <= joinedBytes ? size : 0));
        return { kind: 'found', value: body };
      }
      if (outcome.kind === 'not-found') this.#absent.set(key, outcome, clock.monotonicMs() + absentMs);
      return outcome;
    };
    return this.#join(file.kind, { key, streamId, held: file.kind !== 'init' }, begin, answer);
  }

  evict(streamId: StreamId, change: 'deleted' | 'restricted'): void {
    const { finder, flights, cache } = this.#deps;
    if (change === 'deleted') {
      finder.forget(streamId);
      cache.removeAll(`${streamId}/`);
      this.#latest.deleteAll(`${streamId}/`);
    }
    flights.evict(streamId);
  }

  drain(): void {
    this.#deps.flights.drain();
  }

  /** Forgets what is too old to be used. */
  sweep(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    this.#latest.sweep(nowMs);
    this.#absent.sweep(nowMs);
  }

  #join<T>(
    resource: string,
    name: FlightName,
    begin: (signal: AbortSignal) => Promise<Outcome<T>>,
    answer: Answer<T>,
  ): Leave {
    const { flights, metrics } = this.#deps;
    if (flights.has(name.key)) metrics.collapsed.inc({ resource });
    return flights.join(name, begin, answer);
  }

  /** Where the stream is; when it is on its way to another origin, waits for a bounded time. */
  async #locate(streamId: StreamId, signal?: AbortSignal): Promise<Outcome<Located>> {
    const { finder, clock } = this.#deps;
    const startMs = clock.monotonicMs();
    for (;;) {
      const located = await finder.find(streamId);
      if (located.kind === 'found' || signal?.aborted) return located;
      if (!finder.isMoving(streamId) || clock.monotonicMs() - startMs > waitMs(undefined)) return located;
      await sleep(clock, searchMs, signal);
    }
  }

  async #fetchPlaylist(streamId: StreamId, path: string, signal: AbortSignal): Promise<Outcome<PlaylistBody>> {
    const { finder, clock } = this.#deps;
    const startMs = clock.monotonicMs();
    for (;;) {
      const home = finder.home(streamId);
      const located: Outcome<Located> =
        home === undefined ? await this.#locate(streamId, signal) : { kind: 'found', value: home };
      if (located.kind !== 'found') return located;
      const { origin, facts } = located.value;
      const timeoutMs = waitMs(facts.targetDurationS) + graceMs;
      const reply = await finder.ask(origin, { path, timeoutMs, maxBytes: mostPlaylistBytes, signal }, 'playlist');
      if (reply.kind === 'found') {
        finder.confirm(streamId);
        return { kind: 'found', value: this.#playlistBody(reply, facts.targetDurationS) };
      }
      const next = await this.#afterRefusal(streamId, origin, reply);
      if (next !== undefined) return next;
      if (signal.aborted || clock.monotonicMs() - startMs > 2 * waitMs(facts.targetDurationS)) {
        return { kind: 'unavailable', reason: 'timed-out', detail: 'the stream did not go on at any origin' };
      }
    }
  }

  /** What to answer when an origin gave no playlist; undefined: the stream may be elsewhere, so ask again. */
  async #afterRefusal(
    streamId: StreamId,
    origin: OriginClient,
    reply: Exclude<OriginReply, { kind: 'found' }>,
  ): Promise<Absence | undefined> {
    const { finder } = this.#deps;
    const lose = (reason: string) => {
      finder.lost(streamId, origin, reason);
      this.#latest.deleteAll(`${streamId}/`);
      return undefined;
    };
    if (reply.kind === 'failed') {
      const { reason, message } = reply;
      if (reason === 'too-busy' || reason === 'too-long' || reason === 'cancelled') {
        return { kind: 'unavailable', reason: 'too-busy', detail: message };
      }
      return lose('unreachable');
    }
    const { absence } = reply;
    if (absence.kind === 'not-live') return lose('not-live');
    if (absence.kind !== 'unavailable') return absence;
    if (absence.reason === 'draining') return lose('draining');
    if (absence.reason !== 'timed-out') return absence;
    // It stands still there: perhaps it goes on at another origin, and this one has not heard of it.
    const elsewhere = await finder.find(streamId, true);
    return elsewhere.kind === 'found' && elsewhere.value.origin !== origin ? undefined : absence;
  }

  #playlistBody(reply: Extract<OriginReply, { kind: 'found' }>, knownTargetS: number): PlaylistBody {
    const { bytes, headers } = reply;
    const isGzip = headers['content-encoding'] === 'gzip';
    let plain: Uint8Array | undefined = isGzip ? undefined : bytes;
    let gzip: Uint8Array | undefined = isGzip ? bytes : undefined;
    return {
      targetDurationS: Number(headers[targetDurationHeader]) || knownTargetS,
      storedAtMs: this.#deps.clock.nowMs(),
      plain: () => {
        plain ??= gunzipSync(bytes, { maxOutputLength: mostPlaylistBytes });
        return plain;
      },
      gzip: () => {
        gzip ??= gzipSync(bytes);
        return gzip;
      },
    };
  }

  /** A file belongs to one window, so to one origin: where the stream is, else where it was. */
  async #fetchMedia(
    target: Extract<OriginTarget, { kind: 'media' }>,
    signal: AbortSignal,
  ): Promise<Outcome<{ readonly body: MediaBody; readonly size: number }>> {
    const { finder, clock } = this.#deps;
    const path = originPathOf(target);
    const home = finder.home(target.streamId);
    const others = finder.candidates(target.streamId).filter((origin) => origin !== home?.origin);
    let absence: Absence = { kind: 'not-found', detail: `${mediaFileName(target.file)} does not exist, or no longer` };
    for (const origin of home === undefined ? others : [home.origin, ...others]) {
      const timeoutMs = waitMs(home?.facts.targetDurationS) + graceMs;
      const reply = await finder.ask(origin, { path, timeoutMs, maxBytes: mostMediaBytes, signal }, target.file.kind);
      if (reply.kind === 'found') {
        const { bytes, headers } = reply;
        const mediaKind = headers['content-type']?.startsWith('audio/') === true ? 'audio' : 'video';
        const slices = [bytes];
        const body = { kind: 'memory', mediaKind, identity: slices, slices: () => slices } as const;
        return { kind: 'found', value: { body: { ...body, storedAtMs: clock.nowMs() }, size: bytes.length } };
      }
      if (reply.kind === 'absent') {
        if (reply.absence.kind === 'unavailable') return reply.absence;
        continue;
      }
      if (reply.reason === 'cancelled' || reply.reason === 'too-busy' || reply.reason === 'too-long') {
        return { kind: 'unavailable', reason: 'too-busy', detail: reply.message };
      }
      // The window may be there: whether the file exists is not known.
      absence = { kind: 'unavailable', reason: 'origin-away', detail: `${origin.name} does not answer` };
      finder.lost(target.streamId, origin, 'unreachable');
    }
    return absence;
  }
}

/** How long an origin holds a request, ms: three target durations (rfc8216bis 6.2.5.2). */
function waitMs(targetDurationS: number | undefined): number {
  return 3_000 * (targetDurationS ?? 2);
}

function found<T>(answer: Answer<T>, value: T): Leave {
  answer({ kind: 'found', value }, atOnce);
  return answered;
}
