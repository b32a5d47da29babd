/** Who is signed in, kept in this browser's local storage. */
import { useSyncExternalStore } from 'react';
import { roles } from '../api/resources.ts';
import { choice, object, type Read, text } from '../api/wire.ts';

const readSession = object({ token: text, role: choice(roles), owner_id: text, expires_at: text });
export type Session = Read<typeof readSession>;

/** Why there is no session: shown on the sign-in page. */
export type SignedOutBecause = 'never-signed-in' | 'signed-out' | 'expired';

/** The part of `Storage` that is used. */
export interface TextStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const storageKey = 'millrace.session';

export class SessionStore {
  readonly #storage: TextStorage;
  readonly #listeners = new Set<() => void>();
  #session: Session | undefined;
  #because: SignedOutBecause = 'never-signed-in';

  constructor(storage: TextStorage) {
    this.#storage = storage;
    this.#session = this.#load();
  }

  get session(): Session | undefined {
    return this.#session;
  }

  get signedOutBecause(): SignedOutBecause {
    return this.#because;
  }

  signIn(session: Session): void {
    this.#session = session;
    try {
      this.#storage.setItem(storageKey, JSON.stringify(session));
    } catch {
      // Blocked or full storage: the session lasts as long as the page.
    }
    this.#tell();
  }

  signOut(because: SignedOutBecause): void {
    this.#because = because;
    this.#session = undefined;
    try {
      this.#storage.removeItem(storageKey);
    } catch {
      // As above.
    }
    this.#tell();
  }

  /** Another tab signed in or out. */
  reload(): void {
    this.#session = this.#load();
    this.#tell();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #load(): Session | undefined {
    try {
      const stored = this.#storage.getItem(storageKey);
      return stored === null ? undefined : readSession(JSON.parse(stored), '');
    } catch {
      return undefined; // blocked storage, or written by another version
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** The present session; renders again when it changes. */
export function useSession(store: SessionStore): Session | undefined {
  return useSyncExternalStore(
    (listener) => store.subscribe(listener),
    () => store.session,
  );
}
