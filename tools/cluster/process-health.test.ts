import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { HealthDisplay } from './health-display.ts';
import { askReadiness, changesBetween, type ProcessRow, renderTable } from './process-health.ts';
import { ProcessLog } from './process-log.ts';

const row = (change: Partial<ProcessRow> = {}): ProcessRow => ({
  ...{ name: 'hub-1', pid: 42, state: 'running', ready: true, reasons: [], cpu: 0.123, memoryBytes: 98_700_000 },
  ...{ restarts: 0, ...change },
});

describe('the health of a cluster', () => {
  test('is a table with the reason of who is not ready, within the width of the terminal', () => {
    const rows = [row(), row({ name: 'control-1', pid: 0, state: 'waiting', ready: false, reasons: ['no database'] })];
    const lines = renderTable(rows, 200);
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      ['process', 'pid', 'state', 'health', 'cpu', 'memory', 'restarts'],
      ['hub-1', '42', 'running', 'ready', '12 %', '99 MB', '0'],
      ['control-1', '-', 'waiting', 'no database', '12 %', '99 MB', '0'],
    ]);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    expect(renderTable(rows, 20).every((line) => line.length <= 20)).toBe(true);
  });

  test('says only what changed where there is no terminal', () => {
    expect(changesBetween([], [row()])).toEqual(['hub-1 (pid 42) running, ready']);
    expect(changesBetween([row()], [row({ cpu: 0.9 })])).toEqual([]);
    expect(changesBetween([row()], [row({ ready: false, reasons: ['a', 'b'] })])).toEqual([
      'hub-1 (pid 42) running, not ready: a; b',
    ]);
  });

  test('is drawn in place on a terminal, below what is said meanwhile', () => {
    const written: string[] = [];
    const display = new HealthDisplay({ isTTY: true, columns: 80, write: (text) => written.push(String(text)) > 0 });
    display.show([row()]);
    display.ended('hub-1', 'SIGKILL', 250);
    display.show([row()]);
    const text = written.join('');
    expect(text.split('\x1b[3A\x1b[J')).toHaveLength(3);
    expect(text).toContain('hub-1 ended (SIGKILL): again in 250 ms\n\nprocess');
  });

  test('of who does not answer is not ready', async () => {
    expect(await askReadiness('http://127.0.0.1:9')).toEqual({ ready: false, reasons: ['it does not answer'] });
  });
});

test('the log of a process is bounded by two files', () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-log-'));
  try {
    using log = new ProcessLog(join(dir, 'hub-1.log'), 100);
    for (let i = 0; i < 50; i++) log.write(Buffer.from(`line ${i}\n`));
    expect(readdirSync(dir).sort()).toEqual(['hub-1.1.log', 'hub-1.log']);
    for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).size).toBeLessThanOrEqual(100);
    expect(readFileSync(join(dir, 'hub-1.log'), 'utf8')).toContain('line 49');
    expect(log.tail()).toContain('line 0');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
