import type { DeliveryKit } from './delivery-kit.ts';
import { Player } from './player.ts';
import { SyntheticBroadcast, type SyntheticOptions } from './synthetic-broadcast.ts';

/** A broadcast of so many parts at `kit`, and a player of it. */
export async function playedBroadcast(kit: DeliveryKit, parts = 25, options: Partial<SyntheticOptions> = {}) {
  const { streamId, playbackId } = await kit.define();
  const live = new SyntheticBroadcast(kit.service.writer, { streamId, ...options });
  await live.start();
  await live.parts(parts);
  return { streamId, playbackId, live, player: new Player(kit.origin, playbackId) };
}
