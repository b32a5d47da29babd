import type { SharedMessage } from './shared-message.ts';

/** Why a connection was closed by the hub. */
export type CloseCause = 'slow' | 'flood' | 'silent' | 'draining' | 'not-text';

/** The wire of one client: a WebSocket or a stream of server-sent events. */
export interface Outlet {
  readonly isOpen: boolean;
  /** Bytes handed over that the peer has not taken yet. */
  readonly queuedBytes: number;
  /** Writes in order, with one call to the system; returns the bytes. */
  write(messages: readonly SharedMessage[]): number;
  close(cause: CloseCause): void;
}
