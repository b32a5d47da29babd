/**
 * Sends what is due, eight at a time. A receiver that answers 2xx has it; 410 Gone means never again; anything else is tried again
 * for a day and a half. Several instances share the work; one that dies while it sends leaves the delivery to be sent once more.
 */
import type { Clock } from '@millrace/clock';
import type { PublicFetch } from '@millrace/http';
import type { Logger } from '@millrace/log';
import { DueLoop } from '../core/due-loop.ts';
import { retryWaitMs, type WebhookDeliveryRecord } from '../core/webhook.ts';
import type { WebhookRows } from '../core/webhook-rows.ts';
import { signedHeaders } from './webhook-signature.ts';

export interface WebhookSenderDeps {
  readonly webhooks: Pick<WebhookRows, 'get' | 'takeDue' | 'settle' | 'disable'>;
  readonly fetch: PublicFetch;
  /** Opens a stored secret; undefined: it cannot be opened with the setting's secret. */
  readonly openSecret: (stored: string) => string | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: {
    readonly webhookTries: { inc(labels: { readonly outcome: string }): void };
    readonly loopFailures: { inc(labels: { readonly loop: string }): void };
  };
}

const atOnce = 8;
/** Longest try; a delivery is due again somewhat later if its sender died. */
const tryMs = 10_000;
const takenMs = 3 * tryMs;

export class WebhookSender {
  readonly #deps: WebhookSenderDeps;
  /** Sends what is due, then looks again, at once when something new is to be sent. */
  readonly loop: DueLoop;

  constructor(deps: WebhookSenderDeps) {
    this.#deps = deps;
    const work = async (signal: AbortSignal) => (await this.sendDue(signal)) === atOnce;
    this.loop = new DueLoop({ ...deps, name: 'webhook-sender', failureEvent: 'webhooks-not-sent', work });
  }

  /** Sends at most `atOnce` deliveries that are due; gives how many there were. */
  async sendDue(signal: AbortSignal): Promise<number> {
    const { webhooks, clock } = this.#deps;
    const nowMs = clock.nowMs();
    const due = await webhooks.takeDue(nowMs, nowMs + takenMs, atOnce);
    await Promise.all(due.map((delivery) => this.#send(delivery, signal)));
    return due.length;
  }

  async #send(delivery: WebhookDeliveryRecord, signal: AbortSignal): Promise<void> {
    const { webhooks, fetch, clock, openSecret } = this.#deps;
    const webhook = await webhooks.get(delivery.webhookId);
    if (webhook === undefined) return; // removed meanwhile, and its deliveries with it
    if (webhook.disabledAtMs !== undefined) return this.#settle(delivery, undefined, 'the webhook is disabled', false);
    const secret = openSecret(webhook.secret);
    if (secret === undefined) return this.#settle(delivery, undefined, 'its secret cannot be opened here', true);
    const answer = await fetch.fetch(webhook.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...signedHeaders(secret, delivery.deliveryId, clock.nowMs(), delivery.body),
      },
      body: new TextEncoder().encode(delivery.body),
      answerMs: tryMs,
      signal,
    });
    if (!answer.ok) return this.#settle(delivery, undefined, answer.error.message, answer.error.kind === 'unreachable');
    const { status } = answer.value;
    answer.value[Symbol.dispose](); // nobody reads what it says
    if (status === 410) await webhooks.disable(delivery.webhookId, clock.nowMs());
    const good = status >= 200 && status < 300;
    return this.#settle(delivery, status, good ? undefined : `answered ${status}`, status !== 410);
  }

  async #settle(
    delivery: WebhookDeliveryRecord,
    status: number | undefined,
    error: string | undefined,
    again: boolean,
  ): Promise<void> {
    const { webhooks, clock, random, log, metrics } = this.#deps;
    const nowMs = clock.nowMs();
    const waitMs = error === undefined || !again ? undefined : retryWaitMs(delivery.tries, random());
    const state = error === undefined ? 'delivered' : waitMs === undefined ? 'failed' : 'pending';
    metrics.webhookTries.inc({ outcome: state === 'pending' ? 'retried' : state });
    if (state === 'failed')
      log.warn('webhook-given-up', { webhook_id: delivery.webhookId, tries: delivery.tries, error });
    const finishedAtMs = state === 'pending' ? undefined : nowMs;
    await webhooks.settle(delivery.deliveryId, { state, tryAtMs: nowMs + (waitMs ?? 0), status, error, finishedAtMs });
  }
}
