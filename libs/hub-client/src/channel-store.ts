import type { Channel } from '@millrace/api';
import type { ChannelView } from './channel-view.ts';
import type { ChannelHandlers, HubClient } from './hub-client.ts';
import type { EndReason } from './machine-events.ts';

/** `view` is undefined until the first snapshot; `ended` says why nothing more comes. */
export interface ChannelState {
  readonly view: ChannelView | undefined;
  readonly ended: { readonly reason: EndReason; readonly detail: string } | undefined;
}

/** A channel as a store: what React's `useSyncExternalStore` takes. Subscribed while somebody listens. */
export interface ChannelStore {
  subscribe(listener: () => void): () => void;
  /** The same object until something changes. */
  get(): ChannelState;
}

/** Opens a store on `channel`; `token` is the playback token of a private stream. */
export function createChannelStore(
  client: Pick<HubClient, 'subscribe'>,
  channel: Channel,
  options: Pick<ChannelHandlers, 'token'> = {},
): ChannelStore {
  const listeners = new Set<() => void>();
  let state: ChannelState = { view: undefined, ended: undefined };
  let stop: (() => void) | undefined;
  const become = (next: ChannelState) => {
    state = next;
    for (const listener of [...listeners]) listener();
  };
  const start = () =>
    client.subscribe(channel, {
      ...options,
      onSnapshot: (view) => become({ view, ended: undefined }),
      onChanges: (_, view) => become({ view, ended: undefined }),
      onClosed: (reason, detail) => become({ view: undefined, ended: { reason, detail } }),
    });
  return {
    subscribe(listener) {
      listeners.add(listener);
      stop ??= start();
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        stop?.();
        stop = undefined;
      };
    },
    get: () => state,
  };
}
