import { expect, test } from 'vitest';
import { parseStat, processTree, usageDuring } from './process-usage.ts';

test('a command with spaces and parentheses does not shift the fields', () => {
  const text = `42 (a (b) c) S 7 42 42 0 -1 4194304 1 0 0 0 150 50 0 0 20 0 1 0 100 1 1`;
  expect(parseStat(text)).toEqual({ pid: 42, parent: 7, command: 'a (b) c', cpuMs: 2_000 });
});

test('a tree holds all descendants and nobody else', () => {
  const each = (pid: number, parent: number) => ({ pid, parent, command: 'x', cpuMs: 0 });
  const all = [each(1, 0), each(2, 1), each(3, 2), each(4, 1), each(5, 0), each(6, 5)];
  expect(processTree(1, all).map(({ pid }) => pid)).toEqual([1, 2, 4, 3]);
});

test('a busy process is seen to use about a core', async () => {
  const { server } = await usageDuring(process.pid, async () => {
    const end = performance.now() + 300;
    while (performance.now() < end) Math.sqrt(end);
  });
  expect(server.cores).toBeGreaterThan(0.1);
  expect(server.memory).toBeGreaterThan(10_000_000);
});
