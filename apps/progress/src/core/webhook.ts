/** Webhooks: who is told of which fact, in which words, and when a try that failed is repeated. Times are ms since 1970. */
import type { WebhookBody, WebhookEvent } from '@millrace/api';
import { isHouseWork, type JobFact } from '@millrace/events';

export interface WebhookRecord {
  readonly webhookId: string;
  readonly ownerId: string;
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  /** Of everybody's jobs. */
  readonly allOwners: boolean;
  /** As stored: perhaps sealed. */
  readonly secret: string;
  readonly createdAtMs: number;
  readonly disabledAtMs: number | undefined;
}

export interface WebhookDeliveryRecord {
  readonly deliveryId: string;
  readonly webhookId: string;
  /** The fact that it tells of. */
  readonly eventId: string;
  readonly type: WebhookEvent;
  readonly body: string;
  readonly state: 'pending' | 'delivered' | 'failed';
  readonly tries: number;
  readonly tryAtMs: number;
  readonly lastStatus: number | undefined;
  readonly lastError: string | undefined;
  readonly createdAtMs: number;
  readonly finishedAtMs: number | undefined;
}

/** What a fact tells a webhook; undefined: nothing. */
export function webhookBodyOf(fact: JobFact): (WebhookBody & { readonly type: WebhookEvent }) | undefined {
  const { kind } = fact;
  if (kind === 'import') return undefined; // the video's own job follows it
  if (isHouseWork(kind)) return undefined;
  const data = { task_id: fact.job_id, kind, subject: fact.subject, owner_id: fact.owner_id };
  const timestamp = new Date(fact.at_ms).toISOString();
  switch (fact.type) {
    case 'JobCompleted':
      return { type: 'job.completed', timestamp, data: { ...data, status: 'completed', error: null } };
    case 'JobCancelled':
      return { type: 'job.cancelled', timestamp, data: { ...data, status: 'cancelled', error: null } };
    case 'JobFailed': {
      const error = { step: fact.step ?? null, reason: fact.reason };
      return { type: 'job.failed', timestamp, data: { ...data, status: 'failed', error } };
    }
    case 'JobQueued':
    case 'JobStarted':
    case 'JobProgressed':
      return undefined;
  }
}

/** Whether `webhook` wants to be told of what happened to a job of `ownerId` at `atMs`. */
export function wants(webhook: WebhookRecord, type: WebhookEvent, ownerId: string, atMs: number): boolean {
  const whose = webhook.allOwners || webhook.ownerId === ownerId;
  return whose && webhook.events.includes(type) && webhook.disabledAtMs === undefined && atMs >= webhook.createdAtMs;
}

const s = 1_000;
const minute = 60 * s;
const hour = 60 * minute;
/** Waits after each failed try: about a day and a half in all, long enough for a night and a morning. */
const waitsMs: readonly number[] = [
  5 * s,
  30 * s,
  2 * minute,
  10 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  18 * hour,
];

/** How long to wait after `tries` failed tries, with up to a fifth of jitter; undefined: it was the last. `random` in [0, 1). */
export function retryWaitMs(tries: number, random: number): number | undefined {
  const wait = waitsMs[tries - 1];
  return wait === undefined ? undefined : wait * (1 + 0.2 * random);
}
