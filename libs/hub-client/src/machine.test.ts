import type { Channel, HubMessage, HubRequest } from '@millrace/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HubMachine } from './machine.ts';
import type { Effect, MachineEvent } from './machine-events.ts';

const position = (n: number) => ({ epoch: 'e', offset: `${n}` });
const hello: HubMessage = { op: 'hello', protocol: 1, instance: 'hub-1', ping_ms: 20_000 };
const snapshot = (channel: Channel, n: number): HubMessage => ({
  op: 'snapshot',
  channel,
  position: position(n),
  streams: [],
});

/** A machine with somebody who answers `ask-token` at once and keeps what was sent on the present connection. */
class Rig {
  readonly machine = new HubMachine({ random: () => 0.5 });
  readonly effects: Effect[] = [];
  sent: HubRequest[] = [];
  token: string | undefined;
  tickets = new Map<Channel, string>();

  tell(event: MachineEvent): readonly Effect[] {
    const effects = this.machine.handle(event);
    for (const effect of effects) {
      this.effects.push(effect);
      if (effect.kind === 'connect') this.sent = [];
      if (effect.kind === 'send') this.sent.push(effect.request);
      if (effect.kind !== 'ask-token') continue;
      const token = effect.channel === undefined ? this.token : this.tickets.get(effect.channel);
      this.tell({ kind: 'token', channel: effect.channel, token });
    }
    return effects;
  }

  hear(message: HubMessage): readonly Effect[] {
    return this.tell({ kind: 'message', message });
  }

  open(): this {
    if (this.machine.state === 'idle') this.tell({ kind: 'start' });
    if (this.machine.state === 'waiting') this.tell({ kind: 'timer', timer: 'retry' });
    this.tell({ kind: 'opened' });
    this.hear(hello);
    return this;
  }

  retryMs(): number | undefined {
    const timer = this.effects.findLast((effect) => effect.kind === 'timer' && effect.timer === 'retry');
    return timer?.kind === 'timer' ? timer.afterMs : undefined;
  }
}

describe('the connection to the hub', () => {
  it('shows its token first, then asks for its channels, and goes on where it was after a break', () => {
    const rig = new Rig();
    rig.token = 'T';
    rig.tell({ kind: 'subscribe', channel: 'streams' });
    rig.open();
    expect(rig.sent).toEqual([
      { op: 'authenticate', token: 'T' },
      { op: 'subscribe', channel: 'streams' },
    ]);
    rig.hear(snapshot('streams', 3));
    rig.hear({ op: 'delta', channel: 'streams', position: position(4), changes: [] });
    rig.hear({ op: 'delta', channel: 'streams', changes: [] });
    rig.tell({ kind: 'closed' });
    rig.open();
    expect(rig.sent.at(-1)).toEqual({ op: 'subscribe', channel: 'streams', after: position(4) });
  });

  it('backs off twice as long each time, up to a bound, and begins anew once it was answered', () => {
    const rig = new Rig();
    rig.tell({ kind: 'subscribe', channel: 'streams' });
    rig.tell({ kind: 'start' });
    const waits: (number | undefined)[] = [];
    for (let n = 0; n < 9; n++) {
      rig.tell({ kind: 'closed' });
      waits.push(rig.retryMs());
      rig.tell({ kind: 'timer', timer: 'retry' });
    }
    expect(waits).toEqual([375, 750, 1500, 3000, 6000, 12000, 22500, 22500, 22500]);
    rig.tell({ kind: 'opened' });
    rig.hear(snapshot('streams', 1));
    rig.tell({ kind: 'closed' });
    expect(rig.retryMs()).toBe(375);
  });

  it('comes back when the hub said, and not before', () => {
    const rig = new Rig().open();
    const effects = rig.hear({ op: 'reconnect', after_ms: 4321 });
    expect(effects.map(({ kind }) => kind)).toContain('disconnect');
    expect(rig.retryMs()).toBe(4321);
    rig.tell({ kind: 'closed' });
    expect(rig.retryMs()).toBe(4321);
  });

  it('leaves a connection on which nothing comes, not even an answer to its ping', () => {
    const rig = new Rig().open();
    rig.tell({ kind: 'timer', timer: 'heartbeat' });
    rig.tell({ kind: 'timer', timer: 'heartbeat' });
    expect(rig.sent).toContainEqual({ op: 'ping' });
    rig.hear({ op: 'pong' });
    rig.tell({ kind: 'timer', timer: 'heartbeat' });
    expect(rig.machine.state).toBe('open');
    rig.tell({ kind: 'timer', timer: 'heartbeat' });
    rig.tell({ kind: 'timer', timer: 'heartbeat' });
    expect(rig.machine.state).toBe('waiting');
  });

  it('fetches a fresh token when the hub says that it expired, and gives up when that one is no better', () => {
    const rig = new Rig();
    rig.token = 'old';
    rig.tell({ kind: 'subscribe', channel: 'streams' });
    rig.tell({ kind: 'subscribe', channel: 'jobs' });
    rig.open();
    rig.hear(snapshot('streams', 1));
    rig.hear(snapshot('jobs', 1));
    rig.token = 'new';
    const expired: HubMessage = { op: 'unsubscribed', channel: 'jobs', reason: 'token-expired', detail: '' };
    rig.hear(expired);
    expect(rig.sent.slice(-2)).toEqual([
      { op: 'authenticate', token: 'new' },
      { op: 'subscribe', channel: 'jobs', after: position(1) },
    ]);
    expect(rig.hear(expired)).toMatchObject([{ kind: 'ended', channel: 'jobs', reason: 'token-expired' }]);
  });

  it('ignores what still comes of an earlier subscription to the same channel', () => {
    const rig = new Rig();
    rig.tell({ kind: 'subscribe', channel: 'streams' });
    rig.open();
    rig.hear(snapshot('streams', 1));
    rig.tell({ kind: 'unsubscribe', channel: 'streams' });
    rig.tell({ kind: 'subscribe', channel: 'streams' });
    const late = { op: 'delta' as const, channel: 'streams' as const, position: position(2), changes: [] };
    expect(rig.hear(late)).toEqual([]);
    expect(rig.hear(snapshot('streams', 5))).toMatchObject([{ kind: 'snapshot' }]);
    expect(rig.hear(late)).toMatchObject([{ kind: 'changes' }]);
  });

  it('whatever happens: one connection at a time, each channel asked for once on it, never behind what it knew', () => {
    const channel = fc.constantFrom<Channel>('streams', 'jobs', 'stream:a');
    const event = fc.oneof(
      fc.record({ kind: fc.constantFrom('opened' as const, 'closed' as const) }),
      fc.record({ kind: fc.constantFrom('subscribe' as const, 'unsubscribe' as const), channel }),
      fc.record({
        kind: fc.constant('timer' as const),
        timer: fc.constantFrom('retry' as const, 'heartbeat' as const, 'handshake' as const),
      }),
      fc
        .tuple(channel, fc.nat(9), fc.constantFrom('snapshot', 'delta', 'unsubscribed', 'reconnect', 'expired'))
        .map(([name, n, op]): MachineEvent => {
          const detail = '';
          switch (op) {
            case 'snapshot':
              return { kind: 'message', message: snapshot(name, n) };
            case 'delta':
              return { kind: 'message', message: { op, channel: name, position: position(n), changes: [] } };
            case 'reconnect':
              return { kind: 'message', message: { op, after_ms: n } };
            case 'expired':
              return {
                kind: 'message',
                message: { op: 'unsubscribed', channel: name, reason: 'token-expired', detail },
              };
            default:
              return { kind: 'message', message: { op: 'unsubscribed', channel: name, reason: 'gone', detail } };
          }
        }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        const rig = new Rig();
        rig.tell({ kind: 'start' });
        const wanted = new Set<Channel>();
        for (const one of events) {
          const before = rig.effects.length;
          if (one.kind === 'subscribe') wanted.add(one.channel);
          if (one.kind === 'unsubscribe') wanted.delete(one.channel);
          const wasOpen = rig.machine.state === 'open';
          rig.tell(one);
          const effects = rig.effects.slice(before);
          for (const effect of effects) {
            if (effect.kind === 'ended') wanted.delete(effect.channel);
            if (effect.kind === 'connect') expect(wasOpen).toBe(false);
            if (effect.kind === 'snapshot') expect(wanted).toContain(effect.snapshot.channel);
            if (effect.kind === 'changes') expect(wanted).toContain(effect.channel);
          }
        }
        if (rig.machine.state === 'connecting') rig.tell({ kind: 'closed' });
        if (rig.machine.state === 'open') rig.tell({ kind: 'closed' });
        const known = new Map([...wanted].map((name) => [name, rig.machine.position(name)]));
        rig.open();
        const asked = rig.sent.filter((request) => request.op === 'subscribe');
        expect(new Set(asked.map((request) => request.channel))).toEqual(wanted);
        expect(asked).toHaveLength(wanted.size);
        for (const request of asked) expect(request.after).toEqual(known.get(request.channel));
      }),
      { numRuns: 300 },
    );
  });
});
