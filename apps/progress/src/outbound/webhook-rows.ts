import type { WebhookEvent } from '@millrace/api';
import type { WebhookDeliveryRecord, WebhookRecord } from '../core/webhook.ts';
import type { WebhookRows } from '../core/webhook-rows.ts';
import type { Queryable } from './row-mapping.ts';

interface Row {
  readonly webhook_id: string;
  readonly owner_id: string;
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  readonly all_owners: boolean;
  readonly secret: string;
  readonly created_at: Date;
  readonly disabled_at: Date | null;
}

interface DeliveryRow {
  readonly delivery_id: string;
  readonly webhook_id: string;
  readonly event_id: string;
  readonly type: WebhookEvent;
  readonly body: string;
  readonly state: WebhookDeliveryRecord['state'];
  readonly tries: number;
  readonly try_at: Date;
  readonly last_status: number | null;
  readonly last_error: string | null;
  readonly created_at: Date;
  readonly finished_at: Date | null;
}

/** Tables progress.webhooks and progress.webhook_deliveries. */
export function createWebhookRows(sql: Queryable): WebhookRows {
  return {
    async insert(webhook) {
      await sql`
        INSERT INTO progress.webhooks (webhook_id, owner_id, url, events, all_owners, secret, created_at)
        VALUES (${webhook.webhookId}, ${webhook.ownerId}, ${webhook.url}, ${[...webhook.events]}::text[],
          ${webhook.allOwners}, ${webhook.secret}, ${new Date(webhook.createdAtMs)})`;
    },
    async get(webhookId) {
      const [row] = await sql<Row[]>`SELECT * FROM progress.webhooks WHERE webhook_id = ${webhookId}`;
      return row === undefined ? undefined : toWebhook(row);
    },
    async list(ownerId, { before, limit }) {
      const rows = await sql<Row[]>`
        SELECT * FROM progress.webhooks
        WHERE ${ownerId === undefined ? sql`true` : sql`owner_id = ${ownerId}`}
          AND ${before === undefined ? sql`true` : sql`webhook_id < ${before}`}
        ORDER BY webhook_id DESC LIMIT ${limit}`;
      return rows.map(toWebhook);
    },
    async count(ownerId) {
      const rows = await sql<{ n: number }[]>`
        SELECT count(*)::int AS n FROM progress.webhooks WHERE owner_id = ${ownerId}`;
      return rows[0]?.n ?? 0;
    },
    async listening(ownerIds) {
      const rows = await sql<Row[]>`
        SELECT * FROM progress.webhooks
        WHERE disabled_at IS NULL AND (all_owners OR owner_id = ANY(${[...ownerIds]}::text[]))`;
      return rows.map(toWebhook);
    },
    async disable(webhookId, nowMs) {
      await sql`
        UPDATE progress.webhooks SET disabled_at = ${new Date(nowMs)}
        WHERE webhook_id = ${webhookId} AND disabled_at IS NULL`;
    },
    async remove(webhookId) {
      await sql`DELETE FROM progress.webhooks WHERE webhook_id = ${webhookId}`;
    },
    async addDeliveries(deliveries) {
      for (const one of deliveries) {
        await sql`
          INSERT INTO progress.webhook_deliveries (delivery_id, webhook_id, event_id, type, body, state, try_at, created_at)
          SELECT ${one.deliveryId}, ${one.webhookId}, ${one.eventId}, ${one.type}, ${one.body}, 'pending',
            ${new Date(one.tryAtMs)}, ${new Date(one.createdAtMs)}
          WHERE EXISTS (SELECT 1 FROM progress.webhooks WHERE webhook_id = ${one.webhookId})
          ON CONFLICT DO NOTHING`;
      }
    },
    async takeDue(nowMs, againMs, limit) {
      const rows = await sql<DeliveryRow[]>`
        UPDATE progress.webhook_deliveries SET tries = tries + 1, try_at = ${new Date(againMs)}
        WHERE delivery_id IN (
          SELECT delivery_id FROM progress.webhook_deliveries
          WHERE state = 'pending' AND try_at <= ${new Date(nowMs)}
          ORDER BY try_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
        RETURNING *`;
      return rows.map(toDelivery);
    },
    async settle(deliveryId, { state, tryAtMs, status, error, finishedAtMs }) {
      await sql`
        UPDATE progress.webhook_deliveries SET state = ${state}, try_at = ${new Date(tryAtMs)},
          last_status = ${status ?? null}, last_error = ${error ?? null},
          finished_at = ${finishedAtMs === undefined ? null : new Date(finishedAtMs)}
        WHERE delivery_id = ${deliveryId} AND state = 'pending'`;
    },
    async deliveries(webhookId, { before, limit }) {
      const rows = await sql<DeliveryRow[]>`
        SELECT * FROM progress.webhook_deliveries
        WHERE webhook_id = ${webhookId} AND ${before === undefined ? sql`true` : sql`delivery_id < ${before}`}
        ORDER BY delivery_id DESC LIMIT ${limit}`;
      return rows.map(toDelivery);
    },
    async sweep(finishedBeforeMs, limit) {
      const rows = await sql`
        DELETE FROM progress.webhook_deliveries WHERE delivery_id IN (
          SELECT delivery_id FROM progress.webhook_deliveries
          WHERE finished_at < ${new Date(finishedBeforeMs)} LIMIT ${limit} FOR UPDATE SKIP LOCKED)
        RETURNING delivery_id`;
      return rows.length;
    },
  };
}

function toWebhook(row: Row): WebhookRecord {
  return {
    webhookId: row.webhook_id,
    ownerId: row.owner_id,
    url: row.url,
    events: row.events,
    allOwners: row.all_owners,
    secret: row.secret,
    createdAtMs: row.created_at.getTime(),
    disabledAtMs: row.disabled_at?.getTime(),
  };
}

function toDelivery(row: DeliveryRow): WebhookDeliveryRecord {
  return {
    deliveryId: row.delivery_id,
    webhookId: row.webhook_id,
    eventId: row.event_id,
    type: row.type,
    body: row.body,
    state: row.state,
    tries: row.tries,
    tryAtMs: row.try_at.getTime(),
    lastStatus: row.last_status ?? undefined,
    lastError: row.last_error ?? undefined,
    createdAtMs: row.created_at.getTime(),
    finishedAtMs: row.finished_at?.getTime(),
  };
}
