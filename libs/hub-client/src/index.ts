export { type ChannelState, type ChannelStore, createChannelStore } from './channel-store.ts';
export { type ChannelView, emptyView, foldChanges, viewOfSnapshot } from './channel-view.ts';
export {
  type ChannelHandlers,
  createHubClient,
  type HubClient,
  type HubClientOptions,
  type HubTimers,
  type TokenSource,
  type WebSocketLike,
} from './hub-client.ts';
export type { ConnectionState, EndReason } from './machine-events.ts';
