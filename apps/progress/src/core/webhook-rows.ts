import type { PageRequest } from '@millrace/http';
import type { WebhookDeliveryRecord, WebhookRecord } from './webhook.ts';

export interface WebhookRows {
  insert(webhook: WebhookRecord): Promise<void>;
  get(webhookId: string): Promise<WebhookRecord | undefined>;
  list(ownerId: string | undefined, page: PageRequest): Promise<readonly WebhookRecord[]>;
  count(ownerId: string): Promise<number>;
  /** Those of the owners and those of everybody, without the disabled ones. */
  listening(ownerIds: readonly string[]): Promise<readonly WebhookRecord[]>;
  disable(webhookId: string, nowMs: number): Promise<void>;
  remove(webhookId: string): Promise<void>;
  /** Adds deliveries; one of the same webhook and event is there already and stays as it is. */
  addDeliveries(deliveries: readonly WebhookDeliveryRecord[]): Promise<void>;
  /** Takes at most `limit` deliveries that are due and counts a try; they are due again at `againMs`. */
  takeDue(nowMs: number, againMs: number, limit: number): Promise<readonly WebhookDeliveryRecord[]>;
  settle(
    deliveryId: string,
    outcome: {
      readonly state: WebhookDeliveryRecord['state'];
      readonly tryAtMs: number;
      readonly status: number | undefined;
      readonly error: string | undefined;
      readonly finishedAtMs: number | undefined;
    },
  ): Promise<void>;
  deliveries(webhookId: string, page: PageRequest): Promise<readonly WebhookDeliveryRecord[]>;
  /** Removes at most `limit` deliveries that ended before `finishedBeforeMs`; gives how many. */
  sweep(finishedBeforeMs: number, limit: number): Promise<number>;
}
