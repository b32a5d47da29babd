/**
 * Finds the session that a report belongs to when its path does not say: by the player's own session id once it was seen
 * with a session, else by the viewer's hash. Of several viewers with one hash each player gets one that no other has. A whole
 * school may have one hash, so nothing that is done for each viewer or report looks at all of them.
 */
import type { ViewerSessionId } from './session-id.ts';
import type { ViewerSession } from './viewer-session.ts';

const mintKeptMs = 60_000;
const mostMints = 20_000;
const slack = 16;

export class SessionFinder {
  readonly #byPlayer = new Map<string, ViewerSession>();
  readonly #playerOf = new Map<ViewerSession, string>();
  readonly #byHash = new Map<string, Set<ViewerSession>>();
  /** In order of their beginning; some may have been bound or removed since. */
  readonly #unbound = new Map<string, ViewerSession[]>();
  /** Sessions that only reports tell of, with their players. */
  readonly #homeless = new Map<string, Map<ViewerSession, string>>();
  readonly #mints = new Map<string, { readonly id: ViewerSessionId; readonly atMs: number }>();

  add(session: ViewerSession): void {
    const key = keyOf(session.streamId, session.profile.viewerHash);
    const known = this.#byHash.get(key);
    if (known === undefined) this.#byHash.set(key, new Set([session]));
    else known.add(session);
    this.#addUnbound(key, session);
    if (this.#mints.get(key)?.id === session.id) this.#mints.delete(key);
  }

  remove(session: ViewerSession): void {
    const key = keyOf(session.streamId, session.profile.viewerHash);
    const known = this.#byHash.get(key);
    known?.delete(session);
    if (known?.size === 0) {
      this.#byHash.delete(key);
      this.#unbound.delete(key);
    }
    this.#forgetHomeless(key, session);
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
    if (session.mintedAtMs !== undefined) return;
    const hashKey = keyOf(session.streamId, session.profile.viewerHash);
    const players = this.#homeless.get(hashKey) ?? new Map<ViewerSession, string>();
    this.#homeless.set(hashKey, players.set(session, playerSession));
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
    const key = keyOf(streamId, viewerHash);
    const waiting = this.#unbound.get(key);
    for (let latest = waiting?.at(-1); latest !== undefined; latest = waiting?.at(-1)) {
      if (this.#isUnbound(key, latest)) return latest;
      waiting?.pop();
    }
    return undefined;
  }

  /** A session of the viewer that only reports tell of, and the player it is bound to. */
  homelessOf(streamId: string, viewerHash: string): { session: ViewerSession; player: string } | undefined {
    for (const [session, player] of this.#homeless.get(keyOf(streamId, viewerHash)) ?? []) return { session, player };
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

  #addUnbound(key: string, session: ViewerSession): void {
    const waiting = this.#unbound.get(key) ?? [];
    waiting.push(session);
    // Those that were bound or removed are dropped now and then, so that the list stays as long as there are sessions.
    const most = 2 * (this.#byHash.get(key)?.size ?? 0) + slack;
    this.#unbound.set(key, waiting.length > most ? waiting.filter((one) => this.#isUnbound(key, one)) : waiting);
  }

  #isUnbound(key: string, session: ViewerSession): boolean {
    return !this.#playerOf.has(session) && this.#byHash.get(key)?.has(session) === true;
  }

  #forgetHomeless(key: string, session: ViewerSession): void {
    const players = this.#homeless.get(key);
    players?.delete(session);
    if (players?.size === 0) this.#homeless.delete(key);
  }
}

function keyOf(streamId: string, name: string): string {
  return `${streamId} ${name}`;
}
