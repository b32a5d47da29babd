/** Webhooks put together: who reads the facts, who sends, and what their routes need. */
import { isSealed, seal, unseal } from '@millrace/auth';
import type { Clock } from '@millrace/clock';
import type { EventLog } from '@millrace/eventlog';
import { jobsTopic } from '@millrace/events';
import type { PublicFetch } from '@millrace/http';
import type { IdSource } from '@millrace/ids';
import { Background, Scope } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { ProgressSettings } from './config.ts';
import type { ProgressStore } from './core/store.ts';
import { createWebhookFeed, webhooksGroup } from './inbound/webhook-feed.ts';
import type { WebhookDoor } from './inbound/webhook-routes.ts';
import type { ProgressMetrics } from './metrics.ts';
import { WebhookSender } from './outbound/webhook-sender.ts';
import { newWebhookSecret } from './outbound/webhook-signature.ts';

export interface WebhooksOptions {
  readonly settings: ProgressSettings;
  readonly store: ProgressStore;
  readonly eventLog: EventLog;
  readonly fetch: PublicFetch;
  readonly clock: Clock;
  readonly idSource: IdSource;
  readonly log: Logger;
  readonly metrics: ProgressMetrics;
}

const purpose = 'progress webhook secret';

/** What the routes need, before anything runs. */
export function createWebhookDoor({
  settings,
  fetch,
  idSource,
}: Pick<WebhooksOptions, 'settings' | 'fetch' | 'idSource'>): WebhookDoor {
  const sealing = settings.PROGRESS_WEBHOOK_SECRET?.reveal();
  return {
    refuse: (url) => fetch.refuse(url),
    newSecret: () => {
      const shown = newWebhookSecret(idSource.random);
      return { shown, stored: sealing === undefined ? shown : seal(sealing, purpose, shown) };
    },
    mostPerOwner: settings.PROGRESS_MAX_WEBHOOKS,
  };
}

/** Reads the facts of jobs and sends what is due, until it is closed. */
export async function openWebhooks(options: WebhooksOptions): Promise<AsyncDisposable> {
  const { settings, store, eventLog, fetch, clock, idSource, log, metrics } = options;
  const scope = new Scope({ onError: (step, error) => log.warn('close-failed', { step, error }) });
  const sealing = settings.PROGRESS_WEBHOOK_SECRET?.reveal();
  const openSecret = (stored: string) => {
    if (!isSealed(stored)) return stored;
    const opened = sealing === undefined ? undefined : unseal(sealing, purpose, stored);
    return opened?.ok ? opened.value : undefined;
  };
  const { webhooks } = store;
  const sender = new WebhookSender({
    ...{ webhooks, fetch, openSecret, clock, log, metrics },
    random: () => Math.random(),
  });
  scope.use(
    new Background(
      (signal) => sender.loop.run(signal),
      (error) => log.error('loop-crashed', { loop: 'webhook-sender', error }),
    ),
    'webhook-sender',
  );
  const handler = createWebhookFeed({ webhooks, idSource, onAdded: () => sender.loop.wake() });
  try {
    scope.use(await eventLog.consume({ group: webhooksGroup, topics: [jobsTopic], handler }), 'webhook-feed');
  } catch (error) {
    await scope[Symbol.asyncDispose]();
    throw error;
  }
  return scope;
}
