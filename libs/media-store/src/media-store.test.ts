import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { mediaStoreContract } from './contract.ts';
import { openFolderStore } from './folder-store.ts';
import { openMemoryStore } from './memory-store.ts';

const folders: string[] = [];
async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-store-'));
  folders.push(folder);
  return folder;
}
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

mediaStoreContract('the folder store', async () => openFolderStore({ folder: await emptyFolder() }));
mediaStoreContract('the folder store with fsync', async () =>
  openFolderStore({ folder: join(await emptyFolder(), 'made', 'by-open'), fsync: true }),
);
mediaStoreContract('the memory store', async () => openMemoryStore());

it('a draft that a killed process left behind is gone after the next start, and objects stay', async () => {
  const folder = await emptyFolder();
  const first = await openFolderStore({ folder });
  await first.put('kept', [new Uint8Array(3)]);
  await writeFile(join(folder, '.tmp', '1-1'), 'half');
  await openFolderStore({ folder });
  expect(await readdir(join(folder, '.tmp'))).toEqual([]);
  expect((await readdir(folder)).sort()).toEqual(['.tmp', 'kept']);
});

it('opening a store leaves alone what living processes are writing, and what another machine wrote lately', async () => {
  const folder = await emptyFolder();
  const writing = await openFolderStore({ folder });
  await writeFile(join(folder, '.tmp', 'elsewhere-1-77-aabbcc-0'), 'half');
  await writeFile(join(folder, '.tmp', 'elsewhere-1-77-aabbcc-1'), 'half');
  await utimes(join(folder, '.tmp', 'elsewhere-1-77-aabbcc-1'), 1, 1);
  async function* slow() {
    yield new Uint8Array(1);
    await openFolderStore({ folder });
    expect((await readdir(join(folder, '.tmp'))).length).toBe(2);
    yield new Uint8Array(1);
  }
  expect(await writing.put('x', slow())).toEqual({ ok: true, value: { size: 2 } });
  expect(await readdir(join(folder, '.tmp'))).toEqual(['elsewhere-1-77-aabbcc-0']);
});

it('a draft of a process whose id another has since is removed', async () => {
  const folder = await emptyFolder();
  await mkdir(join(folder, '.tmp'), { recursive: true });
  const host = hostname().replaceAll(/\W/g, '_');
  await writeFile(join(folder, '.tmp', `${host}-${process.pid}-1-aabbcc-0`), 'half');
  await openFolderStore({ folder });
  expect(await readdir(join(folder, '.tmp'))).toEqual([]);
});

it('a failed put leaves no draft behind', async () => {
  const folder = await emptyFolder();
  const store = await openFolderStore({ folder });
  await mkdir(join(folder, 'x'), { recursive: true });
  await writeFile(join(folder, 'x', 'y'), '');
  expect((await store.put('x', [new Uint8Array(1)])).ok).toBe(false);
  expect(await readdir(join(folder, '.tmp'))).toEqual([]);
});

it('ENOSPC becomes a failure of kind full, not an exception', async () => {
  const folder = await emptyFolder();
  const store = await openFolderStore({ folder });
  async function* endless() {
    yield new Uint8Array(1);
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  }
  expect(await store.put('x', endless())).toMatchObject({ ok: false, error: { kind: 'full' } });
});
