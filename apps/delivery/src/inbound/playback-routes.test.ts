import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DeliveryKit, openDeliveryKit } from '../../test/delivery-kit.ts';
import { Player, urisOf } from '../../test/player.ts';
import { SyntheticBroadcast } from '../../test/synthetic-broadcast.ts';

let kit: DeliveryKit;
beforeEach(async () => {
  kit = await openDeliveryKit();
});
afterEach(() => kit[Symbol.asyncDispose]());

async function broadcast(options: { parts?: number } = {}) {
  const { streamId, playbackId } = await kit.define();
  const live = new SyntheticBroadcast(kit.service.writer, { streamId });
  await live.start();
  await live.parts(options.parts ?? 25);
  return { streamId, playbackId, live, player: new Player(kit.origin, playbackId) };
}

describe('playback', () => {
  it('plays from the multivariant playlist to the bytes of every part, segment and init section', async () => {
    const { player } = await broadcast();
    for (const rendition of ['video', 'audio']) {
      const { url, text, response } = await player.playlist(rendition);
      expect(response.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
      const uris = urisOf(url, text);
      expect(uris.segments).toHaveLength(2);
      expect(uris.parts).toHaveLength(25);
      const parts = await Promise.all(uris.parts.map(async (uri) => (await fetch(uri)).text()));
      const segment = await fetch(uris.segments[0] ?? '');
      expect(await segment.text()).toBe(parts.slice(0, 10).join(''));
      expect(segment.headers.get('content-type')).toBe(`${rendition}/mp4`);
      expect(segment.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(await (await fetch(uris.inits[0] ?? '')).text()).toContain(`ftypmoov-${rendition}`);
    }
  });
});
