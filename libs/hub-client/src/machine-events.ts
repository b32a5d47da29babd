import type { Channel, HubChange, HubMessage, HubRequest } from '@millrace/api';

/** `waiting`: for the next attempt. */
export type ConnectionState = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';
export type Snapshot = Extract<HubMessage, { op: 'snapshot' }>;
/** Why a channel ended: the hub's reasons, or `refused` for a request it did not take. */
export type EndReason = Extract<HubMessage, { op: 'unsubscribed' }>['reason'] | 'refused';

export type MachineEvent =
  | { readonly kind: 'start' | 'stop' | 'opened' | 'closed' }
  | { readonly kind: 'message'; readonly message: HubMessage }
  | { readonly kind: 'timer'; readonly timer: TimerName }
  | { readonly kind: 'subscribe' | 'unsubscribe'; readonly channel: Channel }
  /** Answer to `ask-token`; undefined: there is none. */
  | { readonly kind: 'token'; readonly channel: Channel | undefined; readonly token: string | undefined };

export type TimerName = 'retry' | 'heartbeat' | 'handshake';

export type Effect =
  | { readonly kind: 'connect' | 'disconnect' }
  | { readonly kind: 'send'; readonly request: HubRequest }
  /** Replaces a timer of the same name; undefined: cancels it. */
  | { readonly kind: 'timer'; readonly timer: TimerName; readonly afterMs: number | undefined }
  /** Of the connection (undefined), or of one channel. Answered by a `token` event. */
  | { readonly kind: 'ask-token'; readonly channel: Channel | undefined }
  | { readonly kind: 'state'; readonly state: ConnectionState }
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly kind: 'changes'; readonly channel: Channel; readonly changes: readonly HubChange[] }
  | { readonly kind: 'ended'; readonly channel: Channel; readonly reason: EndReason; readonly detail: string };
