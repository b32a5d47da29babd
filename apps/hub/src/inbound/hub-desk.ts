/** Carries out what clients ask: authenticate, subscribe, unsubscribe; and ends what may not go on. */

import type { Channel, ChannelPosition, HubRequest } from '@millrace/api';
import type { ApiClaims, TokenRefusal, TokenVerifier } from '@millrace/auth';
import type { Clock } from '@millrace/clock';
import { assertNever, type Result } from '@millrace/result';
import type { Boards } from '../core/boards.ts';
import { Channels } from '../core/channels.ts';
import { type Client, Subscription } from '../core/client.ts';
import { type Grant, GrantBook } from '../core/grant.ts';
import type { JobParts } from '../core/job-shape.ts';
import type { SharedMessage } from '../core/shared-message.ts';
import type { StreamParts } from '../core/stream-shape.ts';
import { type View, viewOf } from '../core/view.ts';
import type { HubMetrics } from '../metrics.ts';

export interface HubDeskOptions {
  readonly boards: Boards;
  readonly tokens: TokenVerifier;
  readonly clock: Clock;
  readonly metrics: HubMetrics;
  readonly maxSubscriptions: number;
  /** Unsent bytes below which a client that missed conflated values is told the newest. */
  readonly resumeBelowBytes: number;
}

type EndReason = 'forbidden' | 'gone' | 'token-expired';

/** How long a subscription may wait for this instance to read what others have told the client, ms. */
const patienceMs = 2_000;

export class HubDesk {
  readonly #options: HubDeskOptions;
  readonly #grants = new GrantBook();
  readonly #streams: Channels<StreamParts>;
  readonly #jobs: Channels<JobParts>;
  readonly #waiting = new Set<Subscription>();
  readonly #behind = new Set<Subscription>();
  #subscriptions = 0;

  constructor(options: HubDeskOptions) {
    this.#options = options;
    const deps = {
      broadcast: (subscribers: Iterable<{ deliver(message: SharedMessage): void }>, message: SharedMessage) => {
        for (const subscriber of subscribers) subscriber.deliver(message);
      },
      soon: (callback: () => void) => void setImmediate(callback),
    };
    this.#streams = new Channels(options.boards.streams, deps);
    this.#jobs = new Channels(options.boards.jobs, deps);
  }

  get subscriptionCount(): number {
    return this.#subscriptions;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  get groupCount(): number {
    return this.#streams.groupCount + this.#jobs.groupCount;
  }

  async handle(client: Client, request: HubRequest): Promise<void> {
    this.#options.metrics.requests.inc({ op: request.op });
    switch (request.op) {
      case 'ping':
        return client.send({ op: 'pong' });
      case 'authenticate': {
        const verified = await this.#options.tokens.verifyApiToken(request.token);
        if (verified.ok) this.authenticated(client, request.token, verified.value);
        else this.#refuse(client, verified.error.kind, verified.error.message);
        return;
      }
      case 'subscribe':
        return this.#subscribe(client, request.channel, request.after, request.token);
      case 'unsubscribe': {
        const subscription = client.subscriptions.get(request.channel);
        if (subscription !== undefined) this.#close(subscription);
        return;
      }
      default:
        return assertNever(request);
    }
  }

  /** Channels subscribed from now on are seen as the token's holder sees them. */
  authenticated(client: Client, token: string, claims: ApiClaims): void {
    const view = viewOf(claims);
    const grant: Grant = {
      ...{ view, token, playbackId: undefined, jti: claims.jti, expiresAtMs: claims.expiresAtMs },
      subscriptions: new Set(),
      drop: () => {
        if (client.grant === grant) client.grant = undefined;
      },
    };
    const before = client.grant;
    client.grant = grant;
    this.#grants.add(grant);
    if (before !== undefined && before.subscriptions.size === 0) this.#grants.remove(before);
    const expires_at = new Date(claims.expiresAtMs).toISOString();
    client.send({ op: 'authenticated', role: claims.role, expires_at });
  }

  /** The client is gone. */
  left(client: Client): void {
    for (const subscription of [...client.subscriptions.values()]) this.#close(subscription);
    if (client.grant !== undefined) this.#grants.remove(client.grant);
  }

  /** A conflated message was left out for a client that is behind. */
  skipped(client: Client, message: SharedMessage): void {
    if (!('channel' in message.message) || message.message.channel === undefined) return;
    const subscription = client.subscriptions.get(message.message.channel);
    if (subscription !== undefined) this.#behind.add(subscription);
  }

  /** Tries again to let in who waits. */
  admitWaiting(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const subscription of [...this.#waiting])
      this.#join(subscription, nowMs < subscription.options.patienceEndsMs);
  }

  /** Sends the newest counts and health. */
  sendConflated(): void {
    const { audience, health } = this.#options.boards;
    for (const id of audience.takeChanged()) this.#streams.touch('counted', id);
    for (const id of health.takeChanged()) this.#streams.touch('measured', id);
    const recovered = [...this.#behind].filter(
      ({ client }) => client.outlet.queuedBytes < this.#options.resumeBelowBytes,
    );
    for (const subscription of recovered) this.#behind.delete(subscription);
    this.#streams.sendConflated(recovered);
  }

  /** Sends what has changed and not gone out yet. */
  sendDue(): void {
    this.#streams.sendDue();
    this.#jobs.sendDue();
  }

  /** Ends what stands on tokens that have expired. */
  expireTokens(): void {
    for (const grant of this.#grants.expired(this.#options.clock.nowMs())) {
      this.#endGrant(grant, 'token-expired', 'the token expired');
    }
  }

  tokenRevoked(jti: string): void {
    for (const grant of this.#grants.of(jti)) this.#endGrant(grant, 'forbidden', 'the token was revoked');
  }

  /** A signing key changed: tokens may be good no more. */
  async checkTokens(): Promise<void> {
    for (const grant of [...this.#grants.all()]) {
      const verdict = await this.#verify(grant);
      if (verdict.ok || verdict.error.kind === 'not-ready') continue;
      this.#endGrant(grant, verdict.error.kind === 'expired' ? 'token-expired' : 'forbidden', verdict.error.message);
    }
  }

  async #verify(grant: Grant): Promise<Result<unknown, TokenRefusal>> {
    const { tokens } = this.#options;
    return grant.playbackId === undefined
      ? tokens.verifyApiToken(grant.token)
      : tokens.verifyPlaybackToken(grant.token, grant.playbackId);
  }

  async #subscribe(
    client: Client,
    channel: Channel,
    after: ChannelPosition | undefined,
    token: string | undefined,
  ): Promise<void> {
    const known = client.subscriptions.get(channel);
    if (known === undefined && client.subscriptions.size >= this.#options.maxSubscriptions) {
      const detail = `expected at most ${this.#options.maxSubscriptions} channels`;
      client.send({ op: 'unsubscribed', channel, reason: 'too-many', detail });
      this.#options.metrics.joined.inc({ outcome: 'too-many' });
      return;
    }
    let grant = client.grant;
    if (token !== undefined) {
      const playbackId = channel.startsWith('stream:') ? channel.slice('stream:'.length) : '';
      const verified = await this.#options.tokens.verifyPlaybackToken(token, playbackId);
      if (!verified.ok) return this.#refuse(client, verified.error.kind, verified.error.message, channel);
      const { jti, expiresAtMs } = verified.value;
      const view: View = { kind: 'ticket' };
      grant = { ...{ view, token, playbackId, jti, expiresAtMs }, subscriptions: new Set(), drop: () => {} };
      this.#grants.add(grant);
    }
    if (!client.outlet.isOpen) {
      if (grant !== undefined && grant !== client.grant) this.#grants.remove(grant);
      return;
    }
    if (known !== undefined) this.#close(known);
    const subscription = new Subscription({
      ...{ client, channel, after, grant, view: grant?.view ?? { kind: 'public' } },
      patienceEndsMs: this.#options.clock.monotonicMs() + patienceMs,
      onEnded: (ended, reason, detail) => this.#ended(ended, reason, detail),
    });
    client.subscriptions.set(channel, subscription);
    grant?.subscriptions.add(subscription);
    this.#subscriptions++;
    this.#join(subscription, true);
  }

  #join(subscription: Subscription, patient: boolean): void {
    const outcome = this.#channelsOf(subscription.channel).join(subscription, subscription.options.after, patient);
    if (outcome === 'wait') {
      this.#waiting.add(subscription);
      return;
    }
    this.#waiting.delete(subscription);
    this.#options.metrics.joined.inc({ outcome });
    if (outcome === 'gone') this.#ended(subscription, 'gone', 'there is nothing of this name');
    else if (outcome === 'forbidden') this.#ended(subscription, 'forbidden', 'it is not for you, or needs a token');
  }

  #ended(subscription: Subscription, reason: EndReason, detail: string): void {
    this.#options.metrics.ended.inc({ reason });
    this.#close(subscription);
    subscription.client.send({ op: 'unsubscribed', channel: subscription.channel, reason, detail });
  }

  #endGrant(grant: Grant, reason: EndReason, detail: string): void {
    for (const subscription of [...grant.subscriptions]) this.#ended(subscription, reason, detail);
    grant.drop();
    this.#grants.remove(grant);
  }

  #close(subscription: Subscription): void {
    const { client, channel } = subscription;
    if (client.subscriptions.get(channel) !== subscription) return;
    client.subscriptions.delete(channel);
    this.#subscriptions--;
    this.#waiting.delete(subscription);
    this.#behind.delete(subscription);
    this.#channelsOf(channel).leave(subscription);
    const { grant } = subscription.options;
    grant?.subscriptions.delete(subscription);
    if (grant !== undefined && grant !== client.grant && grant.subscriptions.size === 0) this.#grants.remove(grant);
  }

  #channelsOf(channel: Channel): Pick<Channels<StreamParts>, 'join' | 'leave'> {
    return channel === 'jobs' || channel.startsWith('job:') ? this.#jobs : this.#streams;
  }

  #refuse(client: Client, code: string, detail: string, channel?: Channel): void {
    this.#options.metrics.requestsRefused.inc({ reason: code });
    client.send({ op: 'refused', code, detail, ...(channel === undefined ? {} : { channel }) });
  }
}
