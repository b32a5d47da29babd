/** Transcode as a service: parks at the ingests' desks and packages the sources it is given into delivery's live windows. */
import type { Clock } from '@millrace/clock';
import type { FactWriter } from '@millrace/eventlog';
import type { LiveWindowWriter, SourceDesk } from '@millrace/handover';
import type { Service } from '@millrace/http';
import { Scope } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { MetricsRegistry } from '@millrace/metrics';
import type { TranscodeSettings } from './config.ts';
import { SourceClaims } from './inbound/source-claims.ts';
import { createTranscodeMetrics, registerTranscodeGauges } from './metrics.ts';
import { createRenditionFacts } from './outbound/rendition-facts.ts';
import { SegmentPush } from './outbound/segment-push.ts';

export interface TranscodeDeps {
  readonly settings: TranscodeSettings;
  /** One for each ingest. */
  readonly desks: readonly SourceDesk[];
  readonly writer: LiveWindowWriter;
  readonly facts: FactWriter;
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics: MetricsRegistry;
  readonly workerId: string;
  /** In [0, 1): the jitter of retries. */
  readonly random?: () => number;
}

/** Starts the service. It takes sources at once; closing it gives them back. */
export async function createTranscodeService(deps: TranscodeDeps): Promise<Service> {
  const { settings, clock, log } = deps;
  const metrics = createTranscodeMetrics(deps.metrics);
  const scope = new Scope({ onError: (step, error) => log.warn('close-failed', { step, error }) });
  const renditionFacts = scope.use(
    createRenditionFacts({ facts: deps.facts, clock, log, onFailed: () => metrics.factsFailed.inc() }),
    'rendition-facts',
  );
  const patienceMs = settings.TRANSCODE_WRITE_PATIENCE_MS;
  const pushing = { writer: deps.writer, clock, random: deps.random ?? Math.random, patienceMs };
  const claims = scope.use(
    new SourceClaims({
      desks: deps.desks,
      workerId: deps.workerId,
      slots: settings.TRANSCODE_SLOTS,
      drainMs: settings.TRANSCODE_DRAIN_MS,
      openPush: (events) => new SegmentPush({ ...events, ...pushing }),
      renditionFacts,
      clock,
      log,
      metrics,
      maxQueuedBytes: settings.TRANSCODE_MAX_QUEUED_BYTES,
    }),
    'source-claims',
  );
  registerTranscodeGauges(deps.metrics, { sources: () => claims.count, queuedBytes: () => claims.queuedBytes });
  return {
    name: 'transcode',
    publicMounts: [],
    internalMounts: [],
    readiness() {
      const reasons = [
        ...(claims.closing ? ['draining'] : []),
        ...(claims.desks === 0 ? ['no ingest to park at'] : []),
      ];
      return { ready: reasons.length === 0, reasons };
    },
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}
