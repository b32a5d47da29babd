/** Composition of an edge: origins behind it, requests that are made once for all who wait, and the media it keeps. */
import { originName } from '@millrace/handover';
import { backoffMs, Scope } from '@millrace/lifecycle';
import { ByteCache } from './core/byte-cache.ts';
import type { MediaBody } from './core/playback-source.ts';
import { createUpstreamMetrics, type DeliveryMetrics, registerEdgeGauges } from './metrics.ts';
import { EdgeSource } from './outbound/edge-source.ts';
import { Flights } from './outbound/flights.ts';
import { OriginClient } from './outbound/origin-client.ts';
import { OriginFinder } from './outbound/origin-finder.ts';
import type { DeliveryDeps } from './service.ts';

export interface EdgeSettings {
  /** Internal listeners of the origins, as the workers spell them. */
  readonly originUrls: readonly string[];
  readonly cacheMb: number;
  /** Connections to each origin. */
  readonly mostSockets: number;
}

export interface EdgePlayback extends AsyncDisposable {
  readonly source: EdgeSource;
}

const megabyte = 1024 * 1024;
const sweepMs = 1_000;
/** An origin that failed is asked again after a quarter of a second, then less and less often. */
const backoff = { baseMs: 250, capMs: 3_000 };

/** Opens the edge. Closing it calls off what is under way; whoever waits has to be answered before (`source.drain`). */
export function openEdgePlayback(
  deps: DeliveryDeps,
  edge: EdgeSettings,
  { waits }: Pick<DeliveryMetrics, 'waits'>,
): EdgePlayback {
  const { clock, log, serviceToken, settings } = deps;
  const names = [...new Set(edge.originUrls.map(originName))];
  if (names.length === 0) throw new Error('edge: expected at least one origin');
  if (serviceToken === undefined) throw new Error('edge: expected a service token to show its origins');
  const scope = new Scope({ onError: (step, error) => log.warn('close-step-failed', { step, error }) });
  const { mostSockets } = edge;
  const mostBytes = (edge.cacheMb * megabyte) / names.length;
  const origins = names.map((name) =>
    scope.use(new OriginClient({ name, serviceToken, mostSockets, mostBytes, clock }), name),
  );
  const metrics = createUpstreamMetrics(deps.metrics);
  const finder = new OriginFinder({
    origins,
    clock,
    log,
    metrics,
    backoff: (attempt) => backoffMs(attempt, backoff.baseMs, backoff.capMs, Math.random()),
  });
  const flights = new Flights({
    capacity: settings.DELIVERY_MAX_WAITING,
    onOutcome: (outcome) => waits.inc({ outcome }),
    onCrash: (error) => log.error('origin-request-crashed', { error }),
  });
  const cache = new ByteCache<MediaBody>(edge.cacheMb * megabyte);
  const source = new EdgeSource({ finder, flights, cache, metrics, clock });
  registerEdgeGauges(deps.metrics, {
    cacheBytes: () => cache.size,
    waiting: () => flights.waiting,
    running: () => origins.reduce((sum, origin) => sum + origin.running, 0),
    away: () => finder.away,
  });
  const sweep = clock.every(sweepMs, () => source.sweep());
  scope.defer('sweep', () => sweep.cancel());
  return { source, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() };
}
