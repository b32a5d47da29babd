/**
 * What a connection to the hub does next, without doing it: events in, effects out. It remembers where it stands in each channel,
 * so that a new connection goes on there, at whichever instance it ends up.
 */
import type { Channel, ChannelPosition, HubMessage, HubRequest } from '@millrace/api';
import { assertNever } from '@millrace/result';
import type { ConnectionState, Effect, MachineEvent, TimerName } from './machine-events.ts';

interface ChannelState {
  /**
   * `off`: to be asked for once the connection has its token; `asking`: for its own token; `awaiting`: asked for, so deltas that
   * still come are of an earlier subscription; `on`: answered.
   */
  phase: 'off' | 'asking' | 'awaiting' | 'on';
  position: ChannelPosition | undefined;
  token: string | undefined;
  /** The hub ended it for its token once since it last worked. */
  renewed: boolean;
}

export interface MachineOptions {
  /** In [0, 1). */
  readonly random: () => number;
  readonly firstRetryMs?: number;
  readonly longestRetryMs?: number;
  readonly handshakeMs?: number;
}

export class HubMachine {
  readonly #options: Required<MachineOptions>;
  readonly #channels = new Map<Channel, ChannelState>();
  #state: ConnectionState = 'idle';
  #attempt = 0;
  /** The hub said when to come back. */
  #comeBackMs: number | undefined;
  /** The connection's own token has been asked for and has not come. */
  #asking = false;
  #pingMs = 20_000;
  #heard = false;
  #pinged = false;

  constructor(options: MachineOptions) {
    this.#options = { firstRetryMs: 500, longestRetryMs: 30_000, handshakeMs: 10_000, ...options };
  }

  get state(): ConnectionState {
    return this.#state;
  }

  position(channel: Channel): ChannelPosition | undefined {
    return this.#channels.get(channel)?.position;
  }

  handle(event: MachineEvent): readonly Effect[] {
    switch (event.kind) {
      case 'start':
        return this.#state === 'idle' ? this.#connect() : [];
      case 'stop':
        return this.#stop();
      case 'opened':
        return this.#opened();
      case 'closed':
        return this.#closed();
      case 'message':
        return this.#state === 'open' ? this.#message(event.message) : [];
      case 'timer':
        return this.#timer(event.timer);
      case 'subscribe':
        return this.#subscribe(event.channel);
      case 'unsubscribe':
        return this.#unsubscribe(event.channel);
      case 'token':
        return event.channel === undefined
          ? this.#tokenCame(event.token)
          : this.#ticketCame(event.channel, event.token);
      default:
        return assertNever(event);
    }
  }

  #enter(state: ConnectionState): Effect {
    this.#state = state;
    return { kind: 'state', state };
  }

  #connect(): Effect[] {
    const handshake: Effect = { kind: 'timer', timer: 'handshake', afterMs: this.#options.handshakeMs };
    return [this.#enter('connecting'), handshake, { kind: 'connect' }];
  }

  #opened(): Effect[] {
    if (this.#state !== 'connecting') return [];
    this.#heard = true;
    this.#pinged = false;
    this.#asking = true;
    for (const channel of this.#channels.values()) channel.phase = 'off';
    return [
      this.#enter('open'),
      { kind: 'timer', timer: 'handshake', afterMs: undefined },
      { kind: 'timer', timer: 'heartbeat', afterMs: this.#pingMs },
      { kind: 'ask-token', channel: undefined },
    ];
  }

  /** The connection is gone, or never came to be. */
  #closed(): Effect[] {
    if (this.#state !== 'open' && this.#state !== 'connecting') return [];
    const { firstRetryMs, longestRetryMs, random } = this.#options;
    const ceiling = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(this.#attempt, 20));
    const afterMs = this.#comeBackMs ?? ceiling / 2 + (ceiling / 2) * random();
    if (this.#comeBackMs === undefined) this.#attempt++;
    this.#comeBackMs = undefined;
    return [
      this.#enter('waiting'),
      { kind: 'timer', timer: 'handshake', afterMs: undefined },
      { kind: 'timer', timer: 'heartbeat', afterMs: undefined },
      { kind: 'timer', timer: 'retry', afterMs },
    ];
  }

  #stop(): Effect[] {
    if (this.#state === 'closed') return [];
    const timers: TimerName[] = ['retry', 'heartbeat', 'handshake'];
    this.#channels.clear();
    return [
      this.#enter('closed'),
      ...timers.map((timer): Effect => ({ kind: 'timer', timer, afterMs: undefined })),
      { kind: 'disconnect' },
    ];
  }

  #timer(timer: TimerName): Effect[] {
    switch (timer) {
      case 'retry':
        return this.#state === 'waiting' ? this.#connect() : [];
      case 'handshake':
        return this.#state === 'connecting' ? this.#giveUp() : [];
      case 'heartbeat':
        return this.#state === 'open' ? this.#heartbeat() : [];
      default:
        return assertNever(timer);
    }
  }

  /** A network that is gone sends nothing, not even an end: who hears nothing asks, and then leaves. */
  #heartbeat(): Effect[] {
    const again: Effect = { kind: 'timer', timer: 'heartbeat', afterMs: this.#pingMs };
    if (this.#heard) {
      this.#heard = false;
      this.#pinged = false;
      return [again];
    }
    if (this.#pinged) return this.#giveUp();
    this.#pinged = true;
    return [{ kind: 'send', request: { op: 'ping' } }, again];
  }

  #giveUp(): Effect[] {
    return [{ kind: 'disconnect' }, ...this.#closed()];
  }

  #subscribe(channel: Channel): Effect[] {
    if (this.#state === 'closed' || this.#channels.has(channel)) return [];
    this.#channels.set(channel, { phase: 'off', position: undefined, token: undefined, renewed: false });
    return this.#state === 'open' && !this.#asking ? this.#ask(channel) : [];
  }

  #unsubscribe(channel: Channel): Effect[] {
    const known = this.#channels.get(channel);
    this.#channels.delete(channel);
    const asked = this.#state === 'open' && (known?.phase === 'awaiting' || known?.phase === 'on');
    return asked ? [{ kind: 'send', request: { op: 'unsubscribe', channel } }] : [];
  }

  #ask(channel: Channel): Effect[] {
    const known = this.#channels.get(channel);
    if (known === undefined) return [];
    known.phase = 'asking';
    return [{ kind: 'ask-token', channel }];
  }

  #tokenCame(token: string | undefined): Effect[] {
    if (this.#state !== 'open' || !this.#asking) return [];
    this.#asking = false;
    const authenticate: Effect[] =
      token === undefined ? [] : [{ kind: 'send', request: { op: 'authenticate', token } }];
    const waiting = [...this.#channels].filter(([, { phase }]) => phase === 'off');
    return [...authenticate, ...waiting.flatMap(([channel]) => this.#ask(channel))];
  }

  #ticketCame(channel: Channel, token: string | undefined): Effect[] {
    const known = this.#channels.get(channel);
    if (this.#state !== 'open' || known?.phase !== 'asking') return [];
    known.phase = 'awaiting';
    known.token = token;
    const request: HubRequest = {
      ...{ op: 'subscribe', channel },
      ...(known.position === undefined ? {} : { after: known.position }),
      ...(token === undefined ? {} : { token }),
    };
    return [{ kind: 'send', request }];
  }

  #message(message: HubMessage): Effect[] {
    this.#heard = true;
    switch (message.op) {
      case 'hello':
        this.#pingMs = message.ping_ms;
        return [{ kind: 'timer', timer: 'heartbeat', afterMs: message.ping_ms }];
      case 'authenticated':
      case 'pong':
        return [];
      case 'snapshot':
        return this.#answered(message.channel, message.position, { kind: 'snapshot', snapshot: message });
      case 'recovered': {
        const { channel, changes } = message;
        return this.#answered(channel, message.position, { kind: 'changes', channel, changes });
      }
      case 'delta': {
        const known = this.#channels.get(message.channel);
        if (known?.phase !== 'on') return [];
        if (message.position !== undefined) known.position = message.position;
        return [{ kind: 'changes', channel: message.channel, changes: message.changes }];
      }
      case 'unsubscribed':
        return this.#unsubscribed(message);
      case 'refused':
        return this.#refused(message);
      case 'reconnect':
        this.#comeBackMs = message.after_ms;
        return this.#giveUp();
      default:
        return []; // of a later version of the protocol
    }
  }

  #answered(channel: Channel, position: ChannelPosition, effect: Effect): Effect[] {
    const known = this.#channels.get(channel);
    if (known?.phase !== 'awaiting') return [];
    this.#attempt = 0;
    known.phase = 'on';
    known.renewed = false;
    known.position = position;
    return [effect];
  }

  #unsubscribed({ channel, reason, detail }: Extract<HubMessage, { op: 'unsubscribed' }>): Effect[] {
    const known = this.#channels.get(channel);
    if (known === undefined) return [];
    known.phase = 'off';
    if (reason === 'token-expired' && !known.renewed) {
      // A fresh token may be had: once for each channel, until it has worked.
      known.renewed = true;
      if (this.#asking) return [];
      if (known.token !== undefined) return this.#ask(channel);
      this.#asking = true;
      return [{ kind: 'ask-token', channel: undefined }];
    }
    this.#channels.delete(channel);
    return [{ kind: 'ended', channel, reason, detail }];
  }

  #refused({ code, detail, channel }: Extract<HubMessage, { op: 'refused' }>): Effect[] {
    // The instance has not read its keys yet: another attempt, perhaps elsewhere.
    if (code === 'not-ready') return this.#giveUp();
    if (channel === undefined || !this.#channels.has(channel)) return [];
    this.#channels.delete(channel);
    return [{ kind: 'ended', channel, reason: 'refused', detail }];
  }
}
