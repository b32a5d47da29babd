import type { Actor, TokenVerifier } from '@millrace/auth';
import type { Clock } from '@millrace/clock';
import type { ApiVariables } from '@millrace/http';
import type { IdSource } from '@millrace/ids';
import type { JobDesk } from '../core/job-desk.ts';
import type { PlannedStep } from '../core/pipeline.ts';
import type { ProgressStore } from '../core/store.ts';
import type { SubmitGate } from '../core/submit-gate.ts';
import type { VideoImports } from '../core/video-source.ts';
import type { ImageDeps } from './image-context.ts';
import type { WebhookDoor } from './webhook-routes.ts';

/** hono's environment of the progress API: `actor` is there on every route behind `access`. */
export interface ProgressEnv {
  Variables: ApiVariables & { readonly actor: Actor };
}

/** Counters of the API; every one is a metric of this service. */
export interface ApiCounters {
  /** Mutating calls that were carried out. */
  readonly mutations: { inc(labels: { readonly action: string }): void };
  readonly idempotentCalls: { inc(labels: { readonly outcome: string }): void };
  readonly refusedTokens: { inc(labels: { readonly reason: string }): void };
  readonly slowRequests: { inc(labels: { readonly route: string }): void };
  readonly submitsOpen: { set(value: number): void };
  /** Submits that were turned away. */
  readonly shedSubmits: { inc(labels: { readonly reason: string }): void };
  readonly submitDuration: { observe(labels: { readonly route: string }, seconds: number): void };
}

/** What every route needs. */
export interface RouteDeps {
  readonly store: ProgressStore;
  readonly desk: JobDesk;
  readonly verifier: Pick<TokenVerifier, 'verifyApiToken'>;
  readonly clock: Clock;
  readonly idSource: IdSource;
  readonly metrics: ApiCounters;
  /** Origin of the front, without a trailing slash. */
  readonly publicUrl: () => string;
  /** Steps of the processing pipeline with their weights, as a video that was never processed shows them. */
  readonly processingSteps: readonly Pick<PlannedStep, 'name' | 'weight'>[];
  /** Imports of originals; undefined: none here. */
  readonly imports?: VideoImports | undefined;
  readonly webhooks: WebhookDoor;
  readonly images: ImageDeps;
  readonly limits: ApiLimits;
  /** Through which all pass who submit. */
  readonly gate: SubmitGate;
  /** Requests that take longer are logged and counted. */
  readonly slowRequestMs: number;
}

export interface ApiLimits {
  /** Most videos of one owner. */
  readonly maxVideosPerOwner: number;
}
