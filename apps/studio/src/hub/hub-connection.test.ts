import { ManualClock } from '@millrace/clock/testing';
import type { ConnectionState } from '@millrace/hub-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { HubConnection } from './hub-connection.ts';

interface Opened {
  state: (state: ConnectionState) => void;
  readonly channels: Set<string>;
  closed: boolean;
}

let clock: ManualClock;
let opened: Opened[];
let hub: HubConnection;
beforeEach(() => {
  clock = new ManualClock();
  opened = [];
  hub = new HubConnection({
    time: clock,
    open: () => {
      const one: Opened = { state: () => undefined, channels: new Set(), closed: false };
      opened.push(one);
      return {
        onState: (listener) => {
          one.state = listener;
          return () => undefined;
        },
        subscribe: (channel) => {
          one.channels.add(channel);
          return () => one.channels.delete(channel);
        },
        close: () => {
          one.closed = true;
        },
      };
    },
  });
});

describe('the connection to the hub', () => {
  it('is one for all, opened by the first who needs it', () => {
    expect(opened).toHaveLength(0);
    hub.subscribe('streams', {});
    hub.subscribe('stream:str_1', {});
    expect(opened).toHaveLength(1);
    expect([...(opened[0]?.channels ?? [])]).toEqual(['streams', 'stream:str_1']);
  });

  it('outlives the step from one page to the next, and is closed when nobody needs it', async () => {
    const leave = hub.subscribe('streams', {});
    leave();
    await clock.advance(1_000);
    const leaveNext = hub.subscribe('stream:str_1', {});
    await clock.advance(60_000);
    expect([opened.length, opened[0]?.closed, hub.link]).toEqual([1, false, 'connecting']);
    leaveNext();
    leaveNext();
    await clock.advance(3_000);
    expect([opened[0]?.closed, hub.link, clock.pending]).toEqual([true, 'unused', 0]);
    hub.subscribe('streams', {});
    expect(opened).toHaveLength(2);
  });

  it('is away from the first failure until it works again', () => {
    const seen: string[] = [];
    hub.onLink(() => seen.push(hub.link));
    hub.subscribe('streams', {});
    for (const state of ['connecting', 'waiting', 'connecting', 'waiting', 'connecting', 'open'] as const) {
      opened[0]?.state(state);
    }
    expect(seen).toEqual(['connecting', 'away', 'open']);
  });
});
