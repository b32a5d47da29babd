import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@millrace/clock/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchToScratch } from './fetch-to-scratch.ts';
import { withLocalCopies } from './local-copies.ts';
import type { MediaStore } from './media-store.ts';
import { openMemoryStore } from './memory-store.ts';

describe('local copies of objects', () => {
  let folder: string;
  let clock: ManualClock;
  let reads: number;
  let source: MediaStore;
  let gate: Promise<void> | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-copies-'));
    clock = new ManualClock();
    reads = 0;
    gate = undefined;
    const memory = openMemoryStore();
    source = {
      ...memory,
      async get(key, range) {
        const object = await memory.get(key, range);
        if (!object.ok) return object;
        return { ok: true, value: { ...object.value, bytes: counted(object.value.bytes) } };
      },
    };
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Counts reads that went to their end. */
  async function* counted(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    await gate;
    yield* bytes;
    reads++;
  }
  const open = (mostBytes = 1_000) =>
    withLocalCopies({ store: source, folder: join(folder, 'copies'), mostBytes, idleMs: 600_000, clock });
  let tasks = 0;
  const fetched = async (store: MediaStore, key: string, signal = new AbortController().signal): Promise<string> => {
    const task = await mkdtemp(join(folder, `task-${tasks++}-`));
    const path = await fetchToScratch(store, key, task, signal);
    if (!path.ok) return path.error.kind;
    const text = await readFile(path.value, 'utf8');
    await rm(task, { recursive: true });
    return text;
  };
  const kept = async () => (await readdir(join(folder, 'copies')).catch(() => [])).length;

  it('are fetched once for tasks that follow one another, and for those that ask at once', async () => {
    await using copies = open();
    await source.put('a/source', [Buffer.from('film')]);
    const atOnce = await Promise.all([1, 2, 3].map(() => fetched(copies.store, 'a/source')));
    expect(atOnce).toEqual(['film', 'film', 'film']);
    expect(await fetched(copies.store, 'a/source')).toBe('film');
    expect([reads, await kept()]).toEqual([1, 1]);
  });

  it('are never those of an object that was replaced or is gone', async () => {
    await using copies = open();
    await source.put('x', [Buffer.from('old')]);
    expect(await fetched(copies.store, 'x')).toBe('old');
    await source.put('x', [Buffer.from('new')]);
    expect(await fetched(copies.store, 'x')).toBe('new');
    await source.delete('x');
    expect(await fetched(copies.store, 'x')).toBe('not-found');
  });

  it('are given up when there are too many bytes, the oldest first, and when nobody asks any more', async () => {
    await using copies = open(10);
    for (const key of ['a', 'b', 'a', 'c']) {
      await source.put(key, [Buffer.from('12345')]);
      await fetched(copies.store, key);
    }
    await expect.poll(kept).toBe(2);
    await source.put('large', [Buffer.alloc(50)]);
    expect(await fetched(copies.store, 'large')).toHaveLength(50);
    await expect.poll(kept).toBe(1);
    await clock.advance(660_001);
    await expect.poll(kept).toBe(0);
    expect(await fetched(copies.store, 'large')).toHaveLength(50);
  });

  it('go on being fetched for the others when one who waits is stopped, and no longer when all are', async () => {
    await using copies = open();
    await source.put('x', [Buffer.from('film')]);
    let letGo = () => {};
    gate = new Promise((resolve) => {
      letGo = resolve;
    });
    const stop = new AbortController();
    const stopped = fetched(copies.store, 'x', stop.signal);
    const other = fetched(copies.store, 'x');
    await expect.poll(kept).toBe(1);
    stop.abort(new Error('enough'));
    await expect(stopped).rejects.toThrow('enough');
    letGo();
    expect(await other).toBe('film');

    await source.put('x', [Buffer.from('another')]);
    gate = new Promise(() => {});
    const last = new AbortController();
    const alone = fetched(copies.store, 'x', last.signal);
    await expect.poll(kept).toBe(2);
    last.abort(new Error('enough'));
    await expect(alone).rejects.toThrow('enough');
    await expect.poll(kept).toBe(1);
    await copies[Symbol.asyncDispose]();
    expect(await readdir(folder)).not.toContain('copies');
  });
});
