import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fetchToScratch } from './fetch-to-scratch.ts';
import type { MediaStore } from './media-store.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

async function read(store: MediaStore, key: string, range?: { start: number; end?: number }): Promise<string> {
  const object = await store.get(key, range);
  if (!object.ok) return object.error.kind;
  const pieces: Uint8Array[] = [];
  for await (const piece of object.value.bytes) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

async function keys(store: MediaStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of store.list(prefix)) found.push(`${entry.key}:${entry.size}`);
  return found.sort();
}

/**
 * What every media store promises. `open` gives an empty one. `objectsAreFiles`: of a bucket at a test server that keeps objects as files
 * and is lost for an answer when one is looked for below another; S3 itself says that it is not there.
 */
export function mediaStoreContract(
  name: string,
  open: () => Promise<MediaStore>,
  { objectsAreFiles = false }: { readonly objectsAreFiles?: boolean } = {},
): void {
  describe(`${name} keeps the media store contract`, () => {
    it('gives back what was put, from slices and from a stream', async () => {
      const store = await open();
      expect(await store.put('a/b.m4s', [bytes('moof'), bytes(''), bytes('mdat')])).toEqual({
        ok: true,
        value: { size: 8 },
      });
      async function* stream() {
        yield bytes('one ');
        yield bytes('two');
      }
      expect(await store.put('a/c.m4s', stream())).toEqual({ ok: true, value: { size: 7 } });
      expect([await read(store, 'a/b.m4s'), await read(store, 'a/c.m4s')]).toEqual(['moofmdat', 'one two']);
    });

    it('reads ranges with inclusive ends, and says the size when a range starts past the end', async () => {
      const store = await open();
      await store.put('x', [bytes('0123456789')]);
      expect(await read(store, 'x', { start: 2, end: 4 })).toBe('234');
      expect(await read(store, 'x', { start: 7 })).toBe('789');
      expect(await read(store, 'x', { start: 8, end: 99 })).toBe('89');
      expect(await store.get('x', { start: 10 })).toEqual({ ok: false, error: { kind: 'bad-range', size: 10 } });
      const part = await store.get('x', { start: 8, end: 99 });
      expect(part).toMatchObject({ ok: true, value: { size: 10, start: 8, end: 9 } });
      if (part.ok) for await (const _ of part.value.bytes);
    });

    it('keeps an empty object', async () => {
      const store = await open();
      await store.put('empty', []);
      expect(await read(store, 'empty')).toBe('');
      expect(await keys(store, '')).toEqual(['empty:0']);
    });

    it('takes a whole file over, which its maker may delete', async () => {
      const store = await open();
      const folder = await mkdtemp(join(tmpdir(), 'millrace-store-file-'));
      try {
        const path = join(folder, 'made');
        await writeFile(path, 'made by a program');
        await store.put('a/file', [bytes('an older one')]);
        expect(await store.putFile('a/file', path)).toEqual({ ok: true, value: { size: 17 } });
        await rm(path, { force: true });
        expect(await read(store, 'a/file', { start: 8 })).toBe('a program');
        expect(await keys(store, '')).toEqual(['a/file:17']);
        expect((await store.putFile('a/none', join(folder, 'none'))).ok).toBe(false);
        expect(await store.putFile('../x', path)).toMatchObject({ ok: false, error: { kind: 'bad-key' } });
        expect(await keys(store, '')).toEqual(['a/file:17']);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });

    it('gives an object as a local file to programs, or says that it is not there', async () => {
      const store = await open();
      const folder = await mkdtemp(join(tmpdir(), 'millrace-store-file-'));
      try {
        await store.put('a/source', [bytes('film')]);
        const fetched = await fetchToScratch(store, 'a/source', folder, new AbortController().signal);
        expect(fetched.ok && (await readFile(fetched.value, 'utf8'))).toBe('film');
        const local = store.localPath('a/source');
        if (local !== undefined) expect(fetched).toEqual({ ok: true, value: local });
        for (const key of ['a/none', 'a']) {
          const none = await fetchToScratch(store, key, folder, new AbortController().signal);
          expect(none).toMatchObject({ ok: false, error: { kind: 'not-found' } });
        }
        expect(store.localPath('../x')).toBeUndefined();
        await expect(fetchToScratch(store, 'a/source', folder, AbortSignal.abort(new Error('enough')))).rejects.toThrow(
          'enough',
        );
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });

    it('replaces an object whole, and says another version of it where it says any', async () => {
      const store = await open();
      const version = async () => {
        const object = await store.get('x');
        if (!object.ok) return object.error.kind;
        for await (const _ of object.value.bytes);
        return object.value.version;
      };
      await store.put('x', [bytes('a long first version')]);
      const first = await version();
      expect(await version()).toBe(first);
      await store.put('x', [bytes('second')]);
      expect(await read(store, 'x')).toBe('second');
      if (first !== undefined) expect(await version()).not.toBe(first);
    });

    it('shows nothing of an object whose source failed, and keeps the old one', async () => {
      const store = await open();
      await store.put('x', [bytes('old')]);
      async function* broken() {
        yield bytes('new');
        throw new Error('source broke');
      }
      expect((await store.put('x', broken())).ok).toBe(false);
      expect(await read(store, 'x')).toBe('old');
      expect(await keys(store, '')).toEqual(['x:3']);
    });

    it('lists and deletes by prefix, and deleting what is not there is no failure', async () => {
      const store = await open();
      for (const key of ['live/a/1', 'live/a/2', 'live/ab/1', 'other/1']) await store.put(key, [bytes('z')]);
      expect(await keys(store, 'live/a/')).toEqual(['live/a/1:1', 'live/a/2:1']);
      expect(await store.deletePrefix('live/a/')).toEqual({ ok: true, value: { deleted: 2 } });
      expect(await keys(store, '')).toEqual(['live/ab/1:1', 'other/1:1']);
      expect(await store.deletePrefix('live/a/')).toEqual({ ok: true, value: { deleted: 0 } });
      expect(await store.delete('other/1')).toEqual({ ok: true, value: undefined });
      expect(await store.delete('other/1')).toEqual({ ok: true, value: undefined });
      expect(await store.put('live/a/3', [bytes('again')])).toMatchObject({ ok: true });
      expect(await store.deletePrefix('')).toEqual({ ok: true, value: { deleted: 2 } });
    });

    it('says not-found for a key that has no object, a prefix included', async () => {
      const store = await open();
      await store.put('a/b', [bytes('z')]);
      expect(await read(store, 'a/none')).toBe('not-found');
      expect(await read(store, 'a')).toBe('not-found');
      if (!objectsAreFiles) expect(await read(store, 'a/b/c')).toBe('not-found');
    });

    it.each([
      '../x',
      'a/../b',
      '/etc/passwd',
      'a//b',
      'a/',
      '',
      '.tmp/x',
      'a/.hidden',
      'a\\b',
      'a\0b',
      'ä',
      'a'.repeat(600),
    ])('refuses the key %j', async (key) => {
      const store = await open();
      expect(await store.put(key, [bytes('x')])).toMatchObject({ ok: false, error: { kind: 'bad-key' } });
      expect(await store.get(key)).toMatchObject({ ok: false, error: { kind: 'bad-key' } });
      expect(await store.delete(key)).toMatchObject({ ok: false, error: { kind: 'bad-key' } });
      if (key !== '') expect(await store.deletePrefix(`${key}/`)).toMatchObject({ ok: false });
    });

    it('takes many objects at once', async () => {
      const store = await open();
      await Promise.all(Array.from({ length: 40 }, (_, i) => store.put(`many/${i % 4}/${i}`, [bytes(`body ${i}`)])));
      expect((await keys(store, 'many/')).length).toBe(40);
      expect(await read(store, 'many/3/39')).toBe('body 39');
    });
  });
}
