import type { Channel, HubChange } from '@millrace/api';
import type { ConflatedKind } from './board-shape.ts';
import type { SharedMessage } from './shared-message.ts';
import type { View } from './view.ts';

/** One client's subscription to one channel. */
export interface Subscriber {
  readonly channel: Channel;
  readonly view: View;
  /** The group it is in; kept by `Channels`. */
  group: ChannelGroup | undefined;
  deliver(message: SharedMessage): void;
  /** The hub ended it; it is in no group any more. */
  ended(reason: 'forbidden' | 'gone', detail: string): void;
}

/** Subscribers who see the same of the same channel, and what they have not been sent yet. */
export class ChannelGroup {
  readonly key: string;
  readonly channel: Channel;
  /** The entity of the channel; undefined: a list. */
  readonly id: string | undefined;
  readonly view: View;
  readonly subscribers = new Set<Subscriber>();
  /** Ordered changes of this turn. */
  readonly pending: HubChange[] = [];
  /** Conflated values that changed, the longest waiting first. */
  readonly touched = new Map<string, { readonly kind: ConflatedKind; readonly id: string }>();

  constructor(key: string, channel: Channel, id: string | undefined, view: View) {
    this.key = key;
    this.channel = channel;
    this.id = id;
    this.view = view;
  }
}
