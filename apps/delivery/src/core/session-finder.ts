/**
 * Finds the session that a report belongs to when its path does not say: by the player's own session id once it was seen
 * with a session, else by the viewer's hash. Of several viewers with one hash each player gets one that no other has.
 */
import type { ViewerSessionId } from './session-id.ts';
import type { ViewerSession } from './viewer-session.ts';

const mintKeptMs = 60_000;
const mostMints = 20_000;

export class SessionFinder {
  readonly #byPlayer = new Map<string, ViewerSession>();
  readonly #playerOf = new Map<ViewerSession, string>();
  readonly #byHash = new Map<string, Set<ViewerSession>>();
  readonly #mints = new Map<string, { readonly id: ViewerSessionId; readonly atMs: number }>();

  add(session: ViewerSession): void {
    const key = keyOf(session.streamId, session.profile.viewerHash);
    const known = this.#byHash.get(key);
    if (known === undefined) this.#byHash.set(key, new Set([session]));
    else known.add(session);
    if (this.#mints.get(key)?.id === session.id) this.#mints.delete(key);
  }

  remove(session: ViewerSession): void {
    const key = keyOf(session.streamId, session.profile.viewerHash);
    const known = this.#byHash.get(key);
    known?.delete(session);
    if (known?.size === 0) this.#byHash.delete(key);
    const player = this.#playerOf.get(session);
    if (player === undefined) return;
    this.#playerOf.delete(session);
    if (this.#byPlayer.get(player) === session) this.#byPlayer.delete(player);
  }

  /** The player of that id plays this session. */
  bind(session: ViewerSession, playerSession: string): void {
    const key = keyOf(session.streamId, playerSession);
    const before = this.#playerOf.get(session);
    if (before === key) return;
    if (before !== undefined && this.#byPlayer.get(before) === session) this.#byPlayer.delete(before);
    this.#playerOf.set(session, key);
    this.#byPlayer.set(key, session);
  }

  ofPlayer(streamId: string, playerSession: string): ViewerSession | undefined {
    return this.#byPlayer.get(keyOf(streamId, playerSession));
  }

  /** Every session of the viewer: several, where one address has several of one player. */
  allOf(streamId: string, viewerHash: string): readonly ViewerSession[] {
    return [...(this.#byHash.get(keyOf(streamId, viewerHash)) ?? [])];
  }

  /** The latest session of the viewer that no player is bound to. */
  unboundOf(streamId: string, viewerHash: string): ViewerSession | undefined {
    let latest: ViewerSession | undefined;
    for (const session of this.#byHash.get(keyOf(streamId, viewerHash)) ?? []) {
      if (!this.#playerOf.has(session)) latest = session;
    }
    return latest;
  }

  /** A session of the viewer that only reports tell of, and the player it is bound to. */
  homelessOf(streamId: string, viewerHash: string): { session: ViewerSession; player: string } | undefined {
    for (const session of this.#byHash.get(keyOf(streamId, viewerHash)) ?? []) {
      const player = this.#playerOf.get(session);
      if (session.mintedAtMs === undefined && player !== undefined) {
        return { session, player: player.slice(streamId.length + 1) };
      }
    }
    return undefined;
  }

  /** A session was minted for a viewer; his player's first reports may come before its first media playlist. */
  minted(streamId: string, viewerHash: string, id: ViewerSessionId, nowMs: number): void {
    const key = keyOf(streamId, viewerHash);
    this.#mints.delete(key); // so that the map stays in order of time
    this.#mints.set(key, { id, atMs: nowMs });
    for (const [oldest, { atMs }] of this.#mints) {
      if (this.#mints.size <= mostMints && nowMs - atMs <= mintKeptMs) break;
      this.#mints.delete(oldest);
    }
  }

  mintOf(streamId: string, viewerHash: string, nowMs: number): ViewerSessionId | undefined {
    const mint = this.#mints.get(keyOf(streamId, viewerHash));
    return mint !== undefined && nowMs - mint.atMs <= mintKeptMs ? mint.id : undefined;
  }
}

function keyOf(streamId: string, name: string): string {
  return `${streamId} ${name}`;
}
