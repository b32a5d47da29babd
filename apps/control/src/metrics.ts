import { Counter, Gauge, type MetricsRegistry } from '@millrace/metrics';

/** Every metric of control. Labels are bounded sets; no stream, owner or token is one. */
export function createControlMetrics(registry: MetricsRegistry) {
  const registers = [registry];
  return {
    mutations: new Counter({
      name: 'millrace_control_mutations_total',
      help: 'Mutating calls that were carried out, by action.',
      labelNames: ['action'] as const,
      registers,
    }),
    refusedTokens: new Counter({
      name: 'millrace_control_tokens_refused_total',
      help: 'API tokens that were refused, by reason.',
      labelNames: ['reason'] as const,
      registers,
    }),
    signIns: new Counter({
      name: 'millrace_control_sign_ins_total',
      help: 'Uses of a sign-in code, by outcome (accepted, refused).',
      labelNames: ['outcome'] as const,
      registers,
    }),
    idempotentCalls: new Counter({
      name: 'millrace_control_idempotent_calls_total',
      help: 'Calls with an Idempotency-Key, by outcome (first, replayed, other-body).',
      labelNames: ['outcome'] as const,
      registers,
    }),
    liveFacts: new Counter({
      name: 'millrace_control_live_facts_total',
      help: 'Facts of live.streams.v1 that were handled, by outcome (applied, stale, unknown-stream).',
      labelNames: ['outcome'] as const,
      registers,
    }),
    healthStreams: new Gauge({
      name: 'millrace_control_health_streams',
      help: 'Streams whose newest health sample is in memory.',
      registers,
    }),
    lostStreams: new Counter({
      name: 'millrace_control_lost_streams_total',
      help: 'Broadcasts ended because their instance was silent.',
      registers,
    }),
    sweptRows: new Counter({
      name: 'millrace_control_swept_rows_total',
      help: 'Rows removed by the sweeper, by kind (key, token, code, answer).',
      labelNames: ['kind'] as const,
      registers,
    }),
    loopFailures: new Counter({
      name: 'millrace_control_loop_failures_total',
      help: 'Failed rounds of background loops, by loop; each is tried again.',
      labelNames: ['loop'] as const,
      registers,
    }),
  };
}

export type ControlMetrics = ReturnType<typeof createControlMetrics>;
