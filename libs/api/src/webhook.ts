/** Webhooks in REST, and what they send: signed as Standard Webhooks (https://www.standardwebhooks.com) say. */
import { z } from 'zod';
import { jobErrorSchema, jobIdSchema, jobStatusSchema, mediaIdSchema } from './job.ts';
import { pageOf, timeSchema } from './page.ts';
import { ownerIdSchema } from './stream.ts';

export const webhookIdSchema = mediaIdSchema('hook');
export const webhookEvents = ['job.completed', 'job.failed', 'job.cancelled'] as const;
export type WebhookEvent = (typeof webhookEvents)[number];

const webhook = {
  webhook_id: webhookIdSchema,
  owner_id: ownerIdSchema,
  url: z.string(),
  events: z.array(z.enum(webhookEvents)),
  all_owners: z.boolean(),
  created_at: timeSchema,
  disabled_at: timeSchema.nullable().meta({ description: 'Its receiver answered 410 Gone: nothing is sent any more.' }),
};
export const webhookSchema = z.object(webhook).meta({ id: 'Webhook' });
export type Webhook = z.infer<typeof webhookSchema>;
export const webhookPageSchema = pageOf('WebhookPage', webhookSchema);

export const webhookInputSchema = z
  .strictObject({
    url: z.url().max(2_048),
    events: z
      .array(z.enum(webhookEvents))
      .min(1)
      .default([...webhookEvents]),
    all_owners: z.boolean().default(false).meta({ description: 'Of everybody’s jobs; for admins.' }),
  })
  .meta({ id: 'WebhookInput' });
export type WebhookInput = z.input<typeof webhookInputSchema>;

export const createdWebhookSchema = z
  .object({
    ...webhook,
    secret: z.string().meta({ description: '`whsec_` and base64: verifies `webhook-signature`. Shown this once.' }),
  })
  .meta({ id: 'CreatedWebhook' });
export type CreatedWebhook = z.infer<typeof createdWebhookSchema>;

export const webhookDeliverySchema = z
  .object({
    delivery_id: z.string(),
    type: z.string(),
    state: z.enum(['pending', 'delivered', 'failed']),
    tries: z.int(),
    next_try_at: timeSchema.nullable(),
    last_status: z.int().nullable(),
    last_error: z.string().nullable(),
    created_at: timeSchema,
    finished_at: timeSchema.nullable(),
  })
  .meta({ id: 'WebhookDelivery' });
export type WebhookDelivery = z.infer<typeof webhookDeliverySchema>;
export const webhookDeliveryPageSchema = pageOf('WebhookDeliveryPage', webhookDeliverySchema);

/** The body of every delivery. */
export const webhookBodySchema = z.object({
  type: z.string(),
  timestamp: timeSchema,
  data: z.object({
    task_id: jobIdSchema,
    kind: z.string(),
    subject: z.string(),
    owner_id: ownerIdSchema,
    status: jobStatusSchema,
    error: jobErrorSchema.omit({ code: true }).nullable(),
  }),
});
export type WebhookBody = z.infer<typeof webhookBodySchema>;
