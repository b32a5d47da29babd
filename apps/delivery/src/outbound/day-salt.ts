/**
 * The salt of the day (UTC) for viewers' hashes. With a secret that all instances share it is derived, so that a viewer has one
 * hash everywhere; whoever has the secret could make it again. Without one it is random, kept in the media store for
 * the day it is for (a restart goes on with it), and deleted when that is over: then nobody can.
 */
import { createHmac } from 'node:crypto';
import type { IdSource } from '@millrace/ids';
import type { Logger } from '@millrace/log';
import type { MediaStore } from '@millrace/media-store';

export interface DaySalt extends AsyncDisposable {
  /** The salt of the day that `wallMs` is in. */
  of(wallMs: number): Uint8Array;
}

/** A salt for each day from `secret`. */
export function derivedDaySalt(secret: string): DaySalt {
  let known = { day: '', salt: new Uint8Array() };
  return {
    of(wallMs) {
      const day = dayOf(wallMs);
      if (known.day !== day) known = { day, salt: createHmac('sha256', secret).update(`viewers ${day}`).digest() };
      return known.salt;
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

const prefix = 'viewers/';
const saltBytes = 32;

/** A random salt for each day, kept in `store`. */
export async function openStoredDaySalt(deps: {
  readonly store: MediaStore;
  readonly idSource: IdSource;
  readonly log: Logger;
}): Promise<DaySalt> {
  const { store, idSource, log } = deps;
  let writing: Promise<void> = Promise.resolve();
  const keep = async (day: string, salt: Uint8Array): Promise<void> => {
    await store.deletePrefix(prefix);
    const written = await store.put(keyOf(day), [salt]);
    if (!written.ok) log.warn('viewer-salt-not-kept', { error: written.error });
  };
  const renew = (day: string) => {
    const salt = idSource.random(new Uint8Array(saltBytes));
    writing = writing
      .then(() => keep(day, salt))
      .catch((error: unknown) => log.warn('viewer-salt-not-kept', { error }));
    return { day, salt };
  };
  const today = dayOf(idSource.nowMs());
  const stored = await readSalt(store, keyOf(today));
  let known = stored === undefined ? renew(today) : { day: today, salt: stored };
  await writing;
  return {
    of(wallMs) {
      const day = dayOf(wallMs);
      if (known.day !== day) known = renew(day);
      return known.salt;
    },
    [Symbol.asyncDispose]: () => writing,
  };
}

async function readSalt(store: MediaStore, key: string): Promise<Uint8Array | undefined> {
  const found = await store.get(key);
  if (!found.ok) return undefined;
  const slices: Uint8Array[] = [];
  for await (const slice of found.value.bytes) slices.push(slice);
  const salt = Buffer.concat(slices);
  return salt.length === saltBytes ? salt : undefined;
}

function keyOf(day: string): string {
  return `${prefix}salt-${day}`;
}

function dayOf(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}
