import { describe, expect, it } from 'vitest';
// The same clients as npm run test:interop tries.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { hubClientNames, tryHubClients } from '../../../tools/interop/hub-clients.ts';

describe('the hub speaks to WebSocket clients of other people', () => {
  it.each(hubClientNames)('%s hears a snapshot and a change, and after a break what it missed', async (name) => {
    const [outcome] = await tryHubClients([name]);
    expect(outcome).toMatchObject({ name, ok: true });
  });
});
