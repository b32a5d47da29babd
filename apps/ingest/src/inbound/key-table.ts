/** Stream keys by their SHA-256, as a table of `control.stream-keys.v1`. The keys themselves are nowhere. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { EventLog, Table } from '@millrace/eventlog';
import { type StreamKeyState, streamKeysTopic } from '@millrace/events';
import { type KeyId, parseId } from '@millrace/ids';

export class KeyTable implements AsyncDisposable {
  readonly #table: Table<StreamKeyState>;
  readonly #byHash = new Map<string, string>();
  readonly #stopListening: () => void;

  /** `onRevoked` is called as soon as it is read that a key was revoked or deleted. */
  constructor(eventLog: EventLog, onRevoked: (keyId: KeyId) => void) {
    this.#table = eventLog.table(streamKeysTopic);
    this.#stopListening = this.#table.onChange((key, value, previous) => {
      if (previous !== undefined && previous.key_sha256 !== value?.key_sha256) this.#byHash.delete(previous.key_sha256);
      if (value !== undefined) this.#byHash.set(value.key_sha256, key);
      const keyId = parseId('key', key);
      if ((value === undefined || value.revoked) && keyId.ok) onRevoked(keyId.value);
    });
    for (const [key, value] of this.#table.entries()) this.#byHash.set(value.key_sha256, key);
  }

  /** Resolves once it holds all that was known at the start; until then an absent key says nothing. */
  get ready(): Promise<void> {
    return this.#table.ready;
  }

  get isReady(): boolean {
    return this.#table.isReady;
  }

  /** The state of `key`, revoked and expired ones included; undefined when no such key exists. */
  find(key: string): StreamKeyState | undefined {
    const digest = createHash('sha256').update(key).digest();
    const keyId = this.#byHash.get(digest.toString('hex'));
    const state = keyId === undefined ? undefined : this.#table.get(keyId);
    if (state === undefined || !timingSafeEqual(digest, Buffer.from(state.key_sha256, 'hex'))) return undefined;
    return state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopListening();
    await this.#table[Symbol.asyncDispose]();
  }
}
