/**
 * Who is alive, by live.instances.v1. Time is the log's: an instance is dead when others were seen 6 s after its last sign.
 * Thus a log that is away kills nobody.
 */
import { type HomeTag, homeTag } from './session-id.ts';

/** An instance that is silent for this long is dead, and its counts are void (docs/decisions/0055). */
export const deadAfterMs = 6_000;
const mostPeers = 1_000;

interface Peer {
  readonly incarnation: number;
  seenMs: number;
}

export class PeerInstances {
  readonly #own: string;
  readonly #peers = new Map<string, Peer>();
  readonly #byTag = new Map<HomeTag, string>();
  #logMs = Number.NEGATIVE_INFINITY;

  constructor(ownInstanceId: string) {
    this.#own = ownInstanceId;
  }

  /** Somebody said that he is alive; of services other than delivery only the time is taken. True: he began anew. */
  seen(instanceId: string, incarnation: number, isDelivery: boolean, atMs: number): boolean {
    this.#logMs = Math.max(this.#logMs, atMs);
    if (!isDelivery || instanceId === this.#own) return false;
    const known = this.#peers.get(instanceId);
    if (known !== undefined && incarnation < known.incarnation) return false;
    if (known?.incarnation === incarnation) {
      known.seenMs = Math.max(known.seenMs, atMs);
      return false;
    }
    if (known === undefined && this.#peers.size >= mostPeers && !this.#forgetDead()) return false;
    this.#peers.set(instanceId, { incarnation, seenMs: atMs });
    this.#byTag.set(homeTag(instanceId), instanceId);
    return known !== undefined;
  }

  /** Another delivery that is not dead. */
  isAlive(instanceId: string): boolean {
    const peer = this.#peers.get(instanceId);
    return peer !== undefined && this.#logMs - peer.seenMs <= deadAfterMs;
  }

  /** The instance whose tag it is; undefined when nobody has it. */
  ofTag(home: HomeTag): string | undefined {
    return this.#byTag.get(home);
  }

  get hasLiving(): boolean {
    for (const id of this.#peers.keys()) if (this.isAlive(id)) return true;
    return false;
  }

  /** Every other delivery was seen since then, or is dead and its counts are void. */
  areSeenSince(ms: number): boolean {
    for (const [id, { seenMs }] of this.#peers) if (seenMs < ms && this.isAlive(id)) return false;
    return true;
  }

  #forgetDead(): boolean {
    for (const id of this.#peers.keys()) {
      if (this.isAlive(id)) continue;
      this.#peers.delete(id);
      this.#byTag.delete(homeTag(id));
      return true;
    }
    return false;
  }
}
