/** One connected client: what it subscribed to, with whose eyes, and what is on its way to it. */
import type { Channel, ChannelPosition, HubMessage } from '@millrace/api';
import type { ChannelGroup, Subscriber } from './channel-group.ts';
import type { Grant } from './grant.ts';
import type { Outlet } from './outlet.ts';
import { SharedMessage } from './shared-message.ts';
import type { View } from './view.ts';

/** Takes messages for clients and writes them soon, in order. */
export interface Courier {
  post(client: Client, message: SharedMessage): void;
}

export class Client {
  readonly outlet: Outlet;
  readonly subscriptions = new Map<Channel, Subscription>();
  /** Posted and not written yet; the courier's. */
  readonly outbox: SharedMessage[] = [];
  readonly #courier: Courier;
  /** What an API token gave it. */
  grant: Grant | undefined;

  constructor(outlet: Outlet, courier: Courier) {
    this.outlet = outlet;
    this.#courier = courier;
  }

  send(message: HubMessage): void {
    this.post(new SharedMessage(message));
  }

  post(message: SharedMessage): void {
    if (this.outlet.isOpen) this.#courier.post(this, message);
  }
}

export interface SubscriptionOptions {
  readonly client: Client;
  readonly channel: Channel;
  readonly view: View;
  readonly after: ChannelPosition | undefined;
  /** The token it stands on; it ends with it. */
  readonly grant: Grant | undefined;
  /** When waiting ends, monotonic ms. */
  readonly patienceEndsMs: number;
  readonly onEnded: (subscription: Subscription, reason: 'forbidden' | 'gone', detail: string) => void;
}

export class Subscription implements Subscriber {
  readonly options: SubscriptionOptions;
  group: ChannelGroup | undefined;

  constructor(options: SubscriptionOptions) {
    this.options = options;
  }

  get client(): Client {
    return this.options.client;
  }

  get channel(): Channel {
    return this.options.channel;
  }

  get view(): View {
    return this.options.view;
  }

  deliver(message: SharedMessage): void {
    this.options.client.post(message);
  }

  ended(reason: 'forbidden' | 'gone', detail: string): void {
    this.options.onEnded(this, reason, detail);
  }
}
