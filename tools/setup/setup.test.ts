import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { firstDifference } from './dependencies.mjs';
import { kafkaJarsFolder } from './kafka.mjs';
import { checkNodeVersion } from './node-version.mjs';
import { findOnPath, majorVersion, programs } from './programs.mjs';
import { SetupStop } from './report.mjs';

test('an older Node.js is told which one is needed, with exit code 64', () => {
  for (const version of ['18.20.1', '20.18.9', '16.0.0']) {
    const stop = caught(() => checkNodeVersion(version));
    expect(stop).toBeInstanceOf(SetupStop);
    expect(stop).toMatchObject({ code: 64, message: expect.stringContaining(version) });
  }
  for (const version of ['20.19.0', '20.20.2', '22.1.0']) expect(() => checkNodeVersion(version)).not.toThrow();
});

test('ffmpeg and ffprobe say their version in every way they are built', () => {
  const { ffmpeg, ffprobe } = programs;
  expect(majorVersion(ffmpeg, 'ffmpeg version 5.1.8-0+deb12u1 Copyright (c) 2000-2025')).toBe(5);
  expect(majorVersion(ffmpeg, 'ffmpeg version n7.0.2 Copyright')).toBe(7);
  expect(majorVersion(ffmpeg, 'ffmpeg version 4.4.2-0ubuntu0.22.04.1')).toBe(4);
  expect(majorVersion(ffmpeg, 'ffmpeg version N-109542-g0a4f0f2 Copyright')).toBe(Number.POSITIVE_INFINITY);
  expect(majorVersion(ffmpeg, 'ffmpeg version 2024-01-01-git-e1c1dc8347 Copyright')).toBe(Number.POSITIVE_INFINITY);
  expect(majorVersion(ffprobe, 'ffprobe version 6.1.1')).toBe(6);
  expect(majorVersion(ffprobe, 'bash: ffprobe: command not found')).toBeUndefined();
});

test('Java says its version as its makers print it, and one older than 17 is too old', () => {
  const { java } = programs;
  expect(majorVersion(java, 'openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment')).toBe(17);
  expect(majorVersion(java, 'openjdk version "21" 2023-09-19')).toBe(21);
  expect(majorVersion(java, 'java version "1.8.0_292"')).toBeLessThan(java.oldestMajor);
  expect(majorVersion(java, 'The operation couldn’t be completed. Unable to locate a Java Runtime.')).toBeUndefined();
});

test('the folder of the broker jars is named by the pom.xml that asks for them', () => {
  expect(kafkaJarsFolder()).toMatch(/\.cache\/kafka\/[0-9a-f]{12}$/);
});

test('a program is found on PATH only when it is a file that can be run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-path-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'plain'), '', { mode: 0o644 });
  writeFileSync(join(folder, 'program'), '', { mode: 0o755 });
  expect(findOnPath(['plain'], folder)).toBeUndefined();
  expect(findOnPath(['absent', 'program'], `/nonexistent:${folder}`)).toBe(join(folder, 'program'));
});

test('dependencies are those of the lock file, save the optional ones of other platforms', () => {
  const wanted = {
    '': {},
    'apps/x': { version: '1.0.0' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/@millrace/x': { resolved: 'apps/x', link: true },
    'node_modules/a-win32': { version: '1.0.0', optional: true },
  };
  const installed = { 'node_modules/a': { version: '1.0.0' }, 'node_modules/@millrace/x': { link: true } };
  expect(firstDifference(wanted, installed)).toBeUndefined();
  expect(firstDifference(wanted, { ...installed, 'node_modules/a': { version: '0.9.0' } })).toBe('node_modules/a');
  expect(firstDifference(wanted, { 'node_modules/a': { version: '1.0.0' } })).toBe('node_modules/@millrace/x');
});

function caught(body: () => void): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  return undefined;
}
