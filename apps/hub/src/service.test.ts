import { createHubClient, type HubClient } from '@millrace/hub-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { TestPlant } from './testing.ts';

const until = (claim: () => void) => vi.waitFor(claim, { timeout: 5_000, interval: 5 });
const open: { plant?: TestPlant; clients: HubClient[] } = { clients: [] };
afterEach(async () => {
  for (const client of open.clients.splice(0)) client.close();
  await open.plant?.[Symbol.asyncDispose]();
  delete open.plant;
});

function plant(): TestPlant {
  return (open.plant = new TestPlant());
}

function client(url: string, token?: string): HubClient {
  const options = token === undefined ? {} : { token };
  const made = createHubClient({ url, WebSocket: WebSocket as never, ...options });
  open.clients.push(made);
  return made;
}

describe('the hub', () => {
  it('shows who is live, and then what changes: title, state, viewers', async () => {
    const house = plant();
    await house.define('str_a');
    await house.broadcast('str_a', 'StreamPublished');
    await house.define('str_idle');
    await house.define('str_private', { visibility: 'private' });
    await house.broadcast('str_private', 'StreamPublished');
    const hub = await house.openHub();
    let streams: unknown[] = [];
    client(hub.url).subscribe('streams', {
      onSnapshot: (view) => (streams = [...view.streams.values()]),
      onChanges: (_, view) => (streams = [...view.streams.values()]),
    });
    await until(() => expect(streams).toMatchObject([{ stream_id: 'str_a', state: 'live', viewers: 0 }]));
    await house.broadcast('str_a', 'StreamInterrupted');
    await until(() => expect(streams).toMatchObject([{ state: 'interrupted' }]));
    await house.define('str_a', { title: 'new' });
    await house.count('str_a', 7);
    await until(() => expect(streams).toMatchObject([{ title: 'new', viewers: 7 }]));
    await house.define('str_a', { visibility: 'private' });
    await until(() => expect(streams).toEqual([]));
  });
});
