/**
 * MergeTree notes the deduplication token of a part in its log before the part gets its final name. An engine killed between the
 * two has a token without rows, and would take the retried insert for a duplicate: lost. So before the engine starts, tokens
 * whose part is not there (nor merged into one that is) leave the log.
 */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface PartRange {
  readonly partition: string;
  readonly from: number;
  readonly to: number;
}

/** Repairs every table below `folder`; returns how many tokens it dropped. No engine may run on it. */
export function repairDeduplicationLogs(folder: string): number {
  const store = join(folder, 'store');
  if (!existsSync(store)) return 0;
  let dropped = 0;
  for (const shelf of readdirSync(store)) {
    for (const table of readdirSync(join(store, shelf))) dropped += repairTable(join(store, shelf, table));
  }
  return dropped;
}

function repairTable(table: string): number {
  const logs = join(table, 'deduplication_logs');
  if (!existsSync(logs)) return 0;
  const parts = readdirSync(table).flatMap((name) => partRange(name) ?? []);
  let dropped = 0;
  for (const name of readdirSync(logs)) {
    const path = join(logs, name);
    const lines = readFileSync(path, 'utf8').split('\n');
    const kept = lines.filter((line, index) => (index === lines.length - 1 ? line === '' : holds(line, parts)));
    if (kept.length === lines.length) continue;
    dropped += lines.length - kept.length;
    writeFileSync(`${path}.tmp`, kept.join('\n') + (kept.at(-1) === '' || kept.length === 0 ? '' : '\n'));
    renameSync(`${path}.tmp`, path);
  }
  return dropped;
}

/** A line is `operation \t part \t token`; operation 1 adds. */
function holds(line: string, parts: readonly PartRange[]): boolean {
  const [operation, name = ''] = line.split('\t');
  if (operation !== '1') return true;
  const range = partRange(name);
  if (range === undefined) return true;
  return parts.some((part) => part.partition === range.partition && part.from <= range.from && range.to <= part.to);
}

/** `20261122_5_9_1` or `all_1_1_0_7`: partition, first and last block, level, mutation. */
function partRange(name: string): PartRange | undefined {
  const match = /^([^_]+)_(\d+)_(\d+)_\d+(?:_\d+)?$/.exec(name);
  if (match === null) return undefined;
  return { partition: match[1] ?? '', from: Number(match[2]), to: Number(match[3]) };
}
