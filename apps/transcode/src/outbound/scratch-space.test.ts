import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@millrace/clock';
import { silentLogger } from '@millrace/log';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ScratchSpace } from '../core/scratch.ts';
import { createMemoryScratch } from '../testing.ts';
import { openScratchSpace } from './scratch-space.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-scratch-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = () =>
  openScratchSpace({
    folder: join(dir, 'scratch'),
    clock: systemClock,
    log: silentLogger,
    onLeftovers: () => {},
    onStuck: () => {},
  });

describe.each<[string, () => Promise<ScratchSpace>]>([
  ['of folders', open],
  ['in memory', async () => createMemoryScratch()],
])('scratch space %s', (_name, openSpace) => {
  it('gives each lease a folder of its own, once, and measures those that are open', async () => {
    const space = await openSpace();
    const [one, two] = [await space.open('tsk_1.1'), await space.open('tsk_1.2')];
    expect(one.path).not.toBe(two.path);
    await expect(space.open('tsk_1.1')).rejects.toThrow();
    expect([...(await space.measure()).keys()].sort()).toEqual(['tsk_1.1', 'tsk_1.2']);
    await one.remove();
    await one.remove();
    expect([...(await space.measure()).keys()]).toEqual(['tsk_1.2']);
    expect(await space.freeBytes()).toBeGreaterThan(0);
  });
});

describe('scratch space of folders', () => {
  it('counts what lies in them at any depth, and removes it without following links', async () => {
    using space = await open();
    const folder = await space.open('tsk_1.1');
    mkdirSync(join(folder.path, 'deep', 'deeper'), { recursive: true });
    writeFileSync(join(folder.path, 'a'), new Uint8Array(1_000));
    writeFileSync(join(folder.path, 'deep', 'deeper', 'b'), new Uint8Array(500));
    writeFileSync(join(dir, 'original'), 'stays');
    symlinkSync(dir, join(folder.path, 'link'));
    expect((await space.measure()).get('tsk_1.1')).toBe(1_500);
    await folder.remove();
    expect([existsSync(join(dir, 'original')), readdirSync(join(dir, 'scratch'))]).toEqual([true, ['.lock']]);
  });

  it('refuses names that could leave it', async () => {
    using space = await open();
    for (const name of ['..', '../x', 'a/b', '', '.lock', 'x'.repeat(201)]) {
      await expect(space.open(name)).rejects.toThrow('expected a lease named like');
    }
  });
});
