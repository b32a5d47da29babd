/** What playback tests run against: an origin, or (playback-through-edge.test.ts) an edge in front of one. */
import { openDeliveryKit } from './delivery-kit.ts';

export const playback = { openKit: openDeliveryKit };
