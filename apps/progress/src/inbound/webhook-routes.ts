import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import {
  createdWebhookSchema,
  pageQuerySchema,
  type Webhook,
  type WebhookDelivery,
  webhookDeliveryPageSchema,
  webhookIdSchema,
  webhookInputSchema,
  webhookPageSchema,
  webhookSchema,
} from '@millrace/api';
import { type Actor, confinedTo } from '@millrace/auth';
import {
  bearer,
  body,
  idempotencyHeaders,
  inTheWay,
  json,
  needsBody,
  needsLogin,
  notFound,
  notThere,
  optionalTime,
  otherBody,
  ProblemError,
  pageOfRows,
  pageRequest,
  problem,
  time,
} from '@millrace/http';
import { newId } from '@millrace/ids';
import { z } from 'zod';
import type { WebhookDeliveryRecord, WebhookRecord } from '../core/webhook.ts';
import { access } from './access.ts';
import type { ProgressEnv, RouteDeps } from './api-context.ts';
import { mutate } from './mutation.ts';

/** What the routes of webhooks need of who sends them. */
export interface WebhookDoor {
  /** Why nothing is sent to this URL; undefined: it may be tried. */
  refuse(url: string): string | undefined;
  /** A fresh secret, and the same as it is stored. */
  newSecret(): { readonly shown: string; readonly stored: string };
  readonly mostPerOwner: number;
}

const webhookParams = z.object({ id: webhookIdSchema });

/** Routes of `/api/v1/webhooks`. */
export function addWebhookRoutes(app: OpenAPIHono<ProgressEnv>, deps: RouteDeps): void {
  const common = { tags: ['webhooks'], security: bearer };

  app.openapi(
    createRoute({
      ...common,
      method: 'post',
      path: '/api/v1/webhooks',
      operationId: 'createWebhook',
      summary: 'Be told of the ends of jobs',
      description:
        'Each is a POST of JSON signed as Standard Webhooks say: `webhook-id`, `webhook-timestamp`, `webhook-signature`. Answer 2xx within 10 s; anything else is tried again for a day and a half, and 410 ends the webhook. Deliveries may repeat (by the same `webhook-id`) and overtake each other.',
      middleware: access(deps, 'createWebhook'),
      request: { headers: idempotencyHeaders, body: body(webhookInputSchema) },
      responses: {
        201: json(createdWebhookSchema, 'The webhook with its secret, which is shown this once.'),
        ...needsLogin,
        ...needsBody,
        ...inTheWay,
        ...otherBody,
      },
    }),
    async (c) => {
      const input = c.req.valid('json');
      const actor = c.get('actor');
      const refusal = deps.webhooks.refuse(input.url);
      if (refusal !== undefined) {
        throw new ProblemError(problem(422, 'url-refused', 'The URL cannot be a webhook', { detail: refusal }));
      }
      if (input.all_owners && actor.role !== 'admin') {
        const detail = 'all_owners: expected an admin; leave it out to be told of your own jobs';
        throw new ProblemError(problem(403, 'not-allowed', 'Only admins are told of everybody’s jobs', { detail }));
      }
      const answer = await mutate(c, deps, { action: 'createWebhook', status: 201, body: input }, async (tx, nowMs) => {
        const most = deps.webhooks.mostPerOwner;
        if ((await tx.webhooks.count(actor.ownerId)) >= most) {
          const detail = `expected at most ${most} webhooks of one owner: delete one first`;
          throw new ProblemError(problem(409, 'too-many-webhooks', 'Too many webhooks', { detail }));
        }
        const secret = deps.webhooks.newSecret();
        const webhook: WebhookRecord = {
          webhookId: newId('hook', deps.idSource),
          ...{ ownerId: actor.ownerId, url: input.url, events: input.events, allOwners: input.all_owners },
          ...{ secret: secret.stored, createdAtMs: nowMs, disabledAtMs: undefined },
        };
        await tx.webhooks.insert(webhook);
        const created = { ...showWebhook(webhook), secret: secret.shown };
        return { resource: webhook.webhookId, ownerId: actor.ownerId, answer: created };
      });
      return c.json(answer, 201, { location: `/api/v1/webhooks/${answer.webhook_id}` });
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/v1/webhooks',
      operationId: 'listWebhooks',
      summary: 'List webhooks, the newest first',
      middleware: access(deps, 'listWebhooks'),
      request: { query: pageQuerySchema },
      responses: { 200: json(webhookPageSchema, 'A page of webhooks.'), ...needsLogin },
    }),
    async (c) => {
      const query = c.req.valid('query');
      const rows = await deps.store.webhooks.list(confinedTo(c.get('actor')), pageRequest(query));
      return c.json(
        pageOfRows(rows, query.limit, ({ webhookId }) => webhookId, showWebhook),
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/v1/webhooks/{id}',
      operationId: 'getWebhook',
      summary: 'Get a webhook',
      middleware: access(deps, 'getWebhook'),
      request: { params: webhookParams },
      responses: { 200: json(webhookSchema, 'The webhook.'), ...needsLogin, ...notThere },
    }),
    async (c) => c.json(showWebhook(await reach(deps, c.get('actor'), c.req.valid('param').id)), 200),
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'get',
      path: '/api/v1/webhooks/{id}/deliveries',
      operationId: 'listWebhookDeliveries',
      summary: 'List what was sent, the newest first',
      middleware: access(deps, 'getWebhook'),
      request: { params: webhookParams, query: pageQuerySchema },
      responses: { 200: json(webhookDeliveryPageSchema, 'A page of deliveries.'), ...needsLogin, ...notThere },
    }),
    async (c) => {
      const query = c.req.valid('query');
      const webhook = await reach(deps, c.get('actor'), c.req.valid('param').id);
      const rows = await deps.store.webhooks.deliveries(webhook.webhookId, pageRequest(query));
      return c.json(
        pageOfRows(rows, query.limit, ({ deliveryId }) => deliveryId, showDelivery),
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      ...common,
      method: 'delete',
      path: '/api/v1/webhooks/{id}',
      operationId: 'deleteWebhook',
      summary: 'Delete a webhook, with what is still to be sent',
      middleware: access(deps, 'deleteWebhook'),
      request: { params: webhookParams },
      responses: { 204: { description: 'It is gone.' }, ...needsLogin, ...notThere },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      const { ownerId } = await reach(deps, c.get('actor'), id);
      await mutate(c, deps, { action: 'deleteWebhook' }, async (tx) => {
        await tx.webhooks.remove(id);
        return { resource: id, ownerId, answer: undefined };
      });
      return c.body(null, 204);
    },
  );
}

async function reach(deps: RouteDeps, actor: Actor, id: string): Promise<WebhookRecord> {
  const webhook = await deps.store.webhooks.get(id);
  const confined = confinedTo(actor);
  if (webhook === undefined || (confined !== undefined && webhook.ownerId !== confined)) throw notFound('webhook', id);
  return webhook;
}

function showWebhook(webhook: WebhookRecord): Webhook {
  return {
    webhook_id: webhook.webhookId,
    owner_id: webhook.ownerId,
    url: webhook.url,
    events: [...webhook.events],
    all_owners: webhook.allOwners,
    created_at: time(webhook.createdAtMs),
    disabled_at: optionalTime(webhook.disabledAtMs),
  };
}

function showDelivery(delivery: WebhookDeliveryRecord): WebhookDelivery {
  return {
    delivery_id: delivery.deliveryId,
    type: delivery.type,
    state: delivery.state,
    tries: delivery.tries,
    next_try_at: delivery.state === 'pending' ? time(delivery.tryAtMs) : null,
    last_status: delivery.lastStatus ?? null,
    last_error: delivery.lastError ?? null,
    created_at: time(delivery.createdAtMs),
    finished_at: optionalTime(delivery.finishedAtMs),
  };
}
