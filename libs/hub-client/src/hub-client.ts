/** A connection to the hub that keeps itself: it re-connects with jitter, goes on where it was, and shows its token anew. */
import type { Channel, HubChange, HubMessage } from '@millrace/api';
import { assertNever } from '@millrace/result';
import { type ChannelView, emptyView, foldChanges, viewOfSnapshot } from './channel-view.ts';
import { HubMachine } from './machine.ts';
import type { ConnectionState, Effect, EndReason, MachineEvent, TimerName } from './machine-events.ts';

/** The part of a WebSocket that is used; browsers' and `ws`'s are both like this. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

/** A token, or who can get one; undefined: none. */
export type TokenSource = string | (() => string | undefined | Promise<string | undefined>) | undefined;

export interface HubTimers {
  after(delayMs: number, callback: () => void): { cancel(): void };
}

export interface HubClientOptions {
  /** `ws:` or `wss:`, with the path. */
  readonly url: string;
  /** API token of who connects; asked for at each connection and when it has expired. */
  readonly token?: TokenSource;
  /** Node 20 has none of its own: pass the one of `ws`. Default: the global one. */
  readonly WebSocket?: new (
    url: string,
  ) => WebSocketLike;
  readonly timers?: HubTimers;
  readonly random?: () => number;
  readonly onState?: (state: ConnectionState) => void;
}

export interface ChannelHandlers {
  /** All that the channel shows: at first, and again whenever what was missed is not known any more. */
  readonly onSnapshot?: (view: ChannelView) => void;
  /** What changed, and the view after it. */
  readonly onChanges?: (changes: readonly HubChange[], view: ChannelView) => void;
  /** The hub ended it; it does not come back by itself. */
  readonly onClosed?: (reason: EndReason, detail: string) => void;
  /** Playback token of a private stream. */
  readonly token?: TokenSource;
}

export interface HubClient {
  readonly state: ConnectionState;
  /** Calls back after every change of the connection's state; returns how to stop. */
  onState(listener: (state: ConnectionState) => void): () => void;
  /** Several may subscribe to one channel; it is asked for once. Returns how to stop. */
  subscribe(channel: Channel, handlers: ChannelHandlers): () => void;
  close(): void;
}

interface Shared {
  readonly handlers: Set<ChannelHandlers>;
  view: ChannelView | undefined;
}

const systemTimers: HubTimers = {
  after(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Connects at once, and until it is closed. */
export function createHubClient(options: HubClientOptions): HubClient {
  return new Connection(options);
}

class Connection implements HubClient {
  readonly #options: HubClientOptions;
  readonly #machine: HubMachine;
  readonly #channels = new Map<Channel, Shared>();
  readonly #listeners = new Set<(state: ConnectionState) => void>();
  readonly #running = new Map<TimerName, { cancel(): void }>();
  #socket: WebSocketLike | undefined;

  constructor(options: HubClientOptions) {
    this.#options = options;
    this.#machine = new HubMachine({ random: options.random ?? Math.random });
    if (options.onState) this.#listeners.add(options.onState);
    this.#tell({ kind: 'start' });
  }

  get state(): ConnectionState {
    return this.#machine.state;
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  subscribe(channel: Channel, handlers: ChannelHandlers): () => void {
    const shared = this.#channels.get(channel) ?? { handlers: new Set(), view: undefined };
    // Handlers are told apart by identity, and one object may be used twice.
    const own = { ...handlers };
    shared.handlers.add(own);
    this.#channels.set(channel, shared);
    if (shared.view !== undefined) own.onSnapshot?.(shared.view);
    this.#tell({ kind: 'subscribe', channel });
    return () => {
      if (!shared.handlers.delete(own) || shared.handlers.size > 0) return;
      if (this.#channels.get(channel) !== shared) return;
      this.#channels.delete(channel);
      this.#tell({ kind: 'unsubscribe', channel });
    };
  }

  close(): void {
    this.#tell({ kind: 'stop' });
    this.#channels.clear();
  }

  #tell(event: MachineEvent): void {
    for (const effect of this.#machine.handle(event)) this.#carryOut(effect);
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'connect':
        return this.#connect();
      case 'disconnect':
        return this.#disconnect();
      case 'send':
        return this.#socket?.send(JSON.stringify(effect.request));
      case 'timer':
        return this.#setTimer(effect.timer, effect.afterMs);
      case 'ask-token':
        return this.#askToken(effect.channel);
      case 'state':
        for (const listener of this.#listeners) listener(effect.state);
        return;
      case 'snapshot': {
        const shared = this.#channels.get(effect.snapshot.channel);
        if (shared === undefined) return;
        const view = (shared.view = viewOfSnapshot(effect.snapshot));
        for (const { onSnapshot } of [...shared.handlers]) onSnapshot?.(view);
        return;
      }
      case 'changes': {
        const shared = this.#channels.get(effect.channel);
        if (shared === undefined || effect.changes.length === 0) return;
        const view = (shared.view = foldChanges(shared.view ?? emptyView, effect.changes));
        for (const { onChanges } of [...shared.handlers]) onChanges?.(effect.changes, view);
        return;
      }
      case 'ended': {
        const shared = this.#channels.get(effect.channel);
        this.#channels.delete(effect.channel);
        for (const { onClosed } of [...(shared?.handlers ?? [])]) onClosed?.(effect.reason, effect.detail);
        return;
      }
      default:
        return assertNever(effect);
    }
  }

  #connect(): void {
    const WebSocket = this.#options.WebSocket ?? globalWebSocket();
    let socket: WebSocketLike;
    try {
      socket = new WebSocket(this.#options.url);
    } catch {
      // A browser without a network may refuse at once; the next attempt follows.
      queueMicrotask(() => this.#tell({ kind: 'closed' }));
      return;
    }
    this.#socket = socket;
    const current = () => this.#socket === socket;
    socket.onopen = () => current() && this.#tell({ kind: 'opened' });
    socket.onmessage = ({ data }: { readonly data: unknown }) => {
      const message = current() ? parseMessage(data) : undefined;
      if (message !== undefined) this.#tell({ kind: 'message', message });
    };
    socket.onclose = () => {
      if (!current()) return;
      this.#socket = undefined;
      this.#tell({ kind: 'closed' });
    };
    socket.onerror = () => {}; // `close` follows
  }

  #disconnect(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #setTimer(timer: TimerName, afterMs: number | undefined): void {
    this.#running.get(timer)?.cancel();
    this.#running.delete(timer);
    if (afterMs === undefined) return;
    const timers = this.#options.timers ?? systemTimers;
    this.#running.set(
      timer,
      timers.after(afterMs, () => this.#tell({ kind: 'timer', timer })),
    );
  }

  #askToken(channel: Channel | undefined): void {
    const source = channel === undefined ? this.#options.token : this.#ticketOf(channel);
    const answer = (token: string | undefined) => this.#tell({ kind: 'token', channel, token });
    if (typeof source !== 'function') return answer(source);
    const socket = this.#socket;
    void Promise.resolve()
      .then(source)
      .catch(() => undefined) // without a token the hub says what it thinks of it
      .then((token) => {
        if (this.#socket === socket) answer(token);
      });
  }

  #ticketOf(channel: Channel): TokenSource {
    for (const { token } of this.#channels.get(channel)?.handlers ?? []) if (token !== undefined) return token;
    return undefined;
  }
}

function parseMessage(data: unknown): HubMessage | undefined {
  if (typeof data !== 'string') return undefined;
  try {
    const message: unknown = JSON.parse(data);
    if (typeof message !== 'object' || message === null || !('op' in message)) return undefined;
    // The hub is of our own house and checks its schemas in its tests: none are shipped to browsers.
    return message as HubMessage;
  } catch {
    return undefined;
  }
}

function globalWebSocket(): new (url: string) => WebSocketLike {
  const { WebSocket } = globalThis as { readonly WebSocket?: new (url: string) => WebSocketLike };
  if (WebSocket === undefined) throw new Error('this runtime has no WebSocket: pass one as an option');
  return WebSocket;
}
