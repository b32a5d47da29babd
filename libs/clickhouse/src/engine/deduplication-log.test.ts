import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { repairDeduplicationLogs } from './deduplication-log.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-tokens-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A table's folder with these parts and this log. */
function table(parts: readonly string[], log: string): string {
  const path = join(folder, 'store', 'abc', 'abcdef');
  for (const part of parts) mkdirSync(join(path, part), { recursive: true });
  mkdirSync(join(path, 'deduplication_logs'), { recursive: true });
  writeFileSync(join(path, 'deduplication_logs', 'deduplication_log_1.txt'), log);
  return join(path, 'deduplication_logs', 'deduplication_log_1.txt');
}

describe('a deduplication log that a killed engine left', () => {
  it('loses the token whose part never came to be, and keeps those that stand or were merged', () => {
    const log = '1\tall_1_1_0\ta\n1\t20261122_2_2_0\tb\n1\tall_5_5_0\tc\n';
    const path = table(['all_1_4_1', '20261122_1_3_2_9', 'tmp_insert_all_5_5_0'], log);
    expect(repairDeduplicationLogs(folder)).toBe(1);
    expect(readFileSync(path, 'utf8')).toBe('1\tall_1_1_0\ta\n1\t20261122_2_2_0\tb\n');
  });

  it('loses a line that was torn', () => {
    const path = table(['all_1_1_0'], '1\tall_1_1_0\ta\n1\tall_2');
    expect(repairDeduplicationLogs(folder)).toBe(1);
    expect(readFileSync(path, 'utf8')).toBe('1\tall_1_1_0\ta\n');
  });

  it('is left alone when it is right', () => {
    table(['all_1_1_0'], '1\tall_1_1_0\ta\n');
    expect(repairDeduplicationLogs(folder)).toBe(0);
    expect(repairDeduplicationLogs(join(folder, 'nothing'))).toBe(0);
  });
});
