import { mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repairSymlinks } from './binaries.ts';
import { clusterFiles, socketFolder } from './cluster-files.ts';
import { chooseIdentity, planSpawn, unprivilegedUser } from './run-identity.ts';

it('a plain user runs PostgreSQL as himself, root in a user namespace, and without namespaces as another user', () => {
  expect(chooseIdentity('/nowhere', { uid: 1000, canUnshare: () => true })).toEqual({ kind: 'self' });
  expect(chooseIdentity('/nowhere', { uid: 0, canUnshare: () => true })).toEqual({ kind: 'user-namespace' });
  const fallback = chooseIdentity('/nowhere', { uid: 0, canUnshare: () => false });
  expect(fallback).toMatchObject({ kind: 'other-user', name: expect.stringMatching(/postgres|nobody/) });
});

it('the fallback user is postgres where there is one, else nobody, and never root', () => {
  const nobody = 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n';
  expect(unprivilegedUser(nobody)).toEqual({ name: 'nobody', uid: 65_534, gid: 65_534 });
  expect(unprivilegedUser(`${nobody}postgres:x:70:70::/:/bin/sh\n`)).toEqual({ name: 'postgres', uid: 70, gid: 70 });
  expect(unprivilegedUser('postgres:x:0:0::/:/bin/sh\n').uid).toBe(65_534);
});

it('the user namespace maps one unprivileged id and nothing is passed through a shell', () => {
  expect(planSpawn({ kind: 'user-namespace' }, '/bin/postgres', ['-D', 'a b'])).toEqual({
    ...{ command: 'unshare', options: {} },
    args: ['--user', '--map-user=1000', '--', '/bin/postgres', '-D', 'a b'],
  });
});

it('where no folder is short enough for a unix socket there is none', () => {
  const files = clusterFiles(`/${'x'.repeat(120)}`);
  expect(socketFolder(files, { kind: 'self' }, 'linux', `/${'y'.repeat(100)}`)).toBeUndefined();
  expect(socketFolder(files, { kind: 'self' }, 'win32')).toBeUndefined();
});

it('missing library links of the npm package are made, present ones are left', () => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-links-'));
  try {
    mkdirSync(join(root, 'native', 'lib'), { recursive: true });
    writeFileSync(join(root, 'native', 'lib', 'liba.so.1.2'), '');
    const source = 'native/lib/liba.so.1.2';
    const links = ['native/lib/liba.so', 'native/lib/liba.so.1'].map((target) => ({ source, target }));
    writeFileSync(join(root, 'native', 'pg-symlinks.json'), JSON.stringify(links));
    symlinkSync('liba.so.1.2', join(root, 'native', 'lib', 'liba.so'));
    expect(repairSymlinks(root)).toBe(1);
    expect(readlinkSync(join(root, 'native', 'lib', 'liba.so.1'))).toBe('liba.so.1.2');
    expect(repairSymlinks(root)).toBe(0);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
