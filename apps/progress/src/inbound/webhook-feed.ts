/** Turns facts about jobs into deliveries. A fact that is read twice makes one delivery. */
import type { Batch } from '@millrace/eventlog';
import type { JobFact } from '@millrace/events';
import { type IdSource, newId } from '@millrace/ids';
import { type WebhookDeliveryRecord, wants, webhookBodyOf } from '../core/webhook.ts';
import type { WebhookRows } from '../core/webhook-rows.ts';

export const webhooksGroup = 'progress-webhooks';

export interface WebhookFeedDeps {
  readonly webhooks: Pick<WebhookRows, 'listening' | 'addDeliveries'>;
  readonly idSource: IdSource;
  /** Something is to be sent. */
  readonly onAdded: () => void;
}

/** Handler of the jobs topic. */
export function createWebhookFeed({ webhooks, idSource, onAdded }: WebhookFeedDeps) {
  return async (batch: Pick<Batch<JobFact>, 'records'>): Promise<void> => {
    const ends = batch.records.flatMap(({ id, value }) => {
      const body = value === undefined ? undefined : webhookBodyOf(value);
      return value === undefined || body === undefined ? [] : [{ id, fact: value, body }];
    });
    if (ends.length === 0) return;
    const listening = await webhooks.listening([...new Set(ends.map(({ fact }) => fact.owner_id))]);
    const deliveries = ends.flatMap(({ id, fact, body }): WebhookDeliveryRecord[] =>
      listening
        .filter((webhook) => wants(webhook, body.type, fact.owner_id, fact.at_ms))
        .map(({ webhookId }) => ({
          deliveryId: newId('evt', idSource),
          ...{ webhookId, eventId: id, type: body.type, body: JSON.stringify(body), state: 'pending', tries: 0 },
          ...{ tryAtMs: fact.at_ms, lastStatus: undefined, lastError: undefined },
          ...{ createdAtMs: fact.at_ms, finishedAtMs: undefined },
        })),
    );
    if (deliveries.length === 0) return;
    await webhooks.addDeliveries(deliveries);
    onAdded();
  };
}
