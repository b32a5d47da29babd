import { copyFile, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@millrace/clock/testing';
import { silentLogger as log } from '@millrace/log';
import { openMemoryStore } from '@millrace/media-store/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { noCountries, openCountryDatabase } from './country-database.ts';
import { type DaySalt, derivedDaySalt, openStoredDaySalt } from './day-salt.ts';
import { createKeyedIdentity } from './keyed-identity.ts';

const dayMs = 86_400_000;
const agent = 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0';
const random = (bytes: Uint8Array) => globalThis.crypto.getRandomValues(bytes);

describe('the hash of a viewer', () => {
  let clock: ManualClock;
  beforeEach(() => {
    clock = new ManualClock();
  });
  const idSource = () => ({ nowMs: () => clock.nowMs(), random });
  const hasher = (salt: DaySalt) => {
    const identity = createKeyedIdentity({ salt, countries: noCountries, idSource: idSource() });
    return (address: string, userAgent = agent) => identity.identify(address, userAgent).profile.viewerHash;
  };

  it('is one at all instances that share a secret, and another the next day', async () => {
    const [a, b, stranger] = ['one-secret', 'one-secret', 'other'].map((secret) => hasher(derivedDaySalt(secret)));
    const today = a!('192.0.2.7');
    expect([b!('192.0.2.7'), today]).toEqual([today, expect.stringMatching(/^[0-9a-f]{16}$/)]);
    expect(new Set([today, a!('192.0.2.8'), a!('192.0.2.7', 'other'), stranger!('192.0.2.7')]).size).toBe(4);
    await clock.advance(dayMs);
    expect(a!('192.0.2.7')).not.toBe(today);
  });

  it('without a secret outlives a restart, and cannot be made again when its day is over', async () => {
    const store = openMemoryStore();
    const first = await openStoredDaySalt({ store, idSource: idSource(), log });
    const today = hasher(first)('192.0.2.7');
    expect(hasher(await openStoredDaySalt({ store, idSource: idSource(), log }))('192.0.2.7')).toBe(today);
    await clock.advance(dayMs);
    expect(hasher(first)('192.0.2.7')).not.toBe(today);
    await first[Symbol.asyncDispose]();
    const keys: string[] = [];
    for await (const { key } of store.list('viewers/')) keys.push(key);
    expect(keys).toHaveLength(1);
  });
});

describe('the country of a viewer', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-countries-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const fixture = (name: string) => new URL(`../../test/${name}.mmdb`, import.meta.url).pathname;

  it('is read from a MaxMind file, and from the newer one when that is put in its place; a bad one changes nothing', async () => {
    const path = join(folder, 'countries.mmdb');
    const clock = new ManualClock();
    await copyFile(fixture('countries'), path);
    const unreadable = vi.fn();
    await using countries = await openCountryDatabase({ path, clock, log: { ...log, warn: unreadable } });
    const of = () =>
      ['192.0.2.7', '198.51.100.9', '2001:db8::7', '203.0.113.1', 'nonsense'].map((a) => countries.of(a));
    expect(of()).toEqual(['NL', 'JP', 'BR', undefined, undefined]);
    const changed = async (write: () => Promise<void>, atS: number) => {
      await write();
      await utimes(path, atS, atS);
      await clock.advance(30_000);
    };
    await changed(() => copyFile(fixture('countries-newer'), path), 1_800_000_000);
    await vi.waitUntil(() => countries.of('192.0.2.7') === 'SE', 10_000);
    expect(of()).toEqual(['SE', undefined, undefined, undefined, undefined]);
    await changed(() => writeFile(path, 'not a database'), 1_900_000_000);
    await vi.waitUntil(() => unreadable.mock.calls.length === 1, 10_000);
    expect(of()[0]).toBe('SE');
  });

  it('is unknown while there is no file', async () => {
    await using countries = await openCountryDatabase({
      path: join(folder, 'absent.mmdb'),
      clock: new ManualClock(),
      log,
    });
    expect(countries.of('192.0.2.7')).toBeUndefined();
  });
});
