/** CPU and memory of processes, from Linux's /proc. */
import { readdirSync, readFileSync } from 'node:fs';

/** Ticks per second of utime and stime; fixed at 100 on Linux for user space. */
const ticksPerSecond = 100;

export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  /** User and system time so far, ms. */
  readonly cpuMs: number;
}

/** Parses /proc/PID/stat (proc(5)); the command stands in parentheses and may itself hold spaces and parentheses. */
export function parseStat(text: string): ProcessStat {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  const [utime, stime] = [Number(fields[11]), Number(fields[12])];
  return {
    pid: Number(text.slice(0, open)),
    parent: Number(fields[1]),
    command: text.slice(open + 1, close),
    cpuMs: ((utime + stime) * 1000) / ticksPerSecond,
  };
}

/** User and system time of a process so far, and of those of its children that have ended, ms. */
export function cpuOf(pid: number): { readonly ownMs: number; readonly childrenMs: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ms = (...at: readonly number[]) => (at.reduce((sum, i) => sum + Number(fields[i]), 0) * 1_000) / ticksPerSecond;
  return { ownMs: ms(11, 12), childrenMs: ms(13, 14) };
}

/** All processes that are there now. */
function allProcesses(): readonly ProcessStat[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return [parseStat(readFileSync(`/proc/${name}/stat`, 'utf8'))];
    } catch {
      // It ended between the listing and the reading.
      return [];
    }
  });
}

/** A process and all its descendants. */
export function processTree(root: number, all: readonly ProcessStat[] = allProcesses()): readonly ProcessStat[] {
  const tree = all.filter((each) => each.pid === root);
  for (let i = 0; i < tree.length; i++) tree.push(...all.filter((each) => each.parent === tree[i]?.pid));
  return tree;
}

/** Memory of a process, bytes: `rss` is all that is resident, `pss` shares common pages out among those that have them. */
export function memoryOf(pid: number): { readonly rss: number; readonly pss: number } {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
    return { rss: kilobytes('Rss') * 1024, pss: kilobytes('Pss') * 1024 };
  } catch {
    return { rss: 0, pss: 0 };
  }
}

export interface Usage {
  /** Cores used on average over the interval. */
  readonly cores: number;
  /** Memory at the end of the interval, bytes: RSS of one process, the sum of PSS of several. */
  readonly memory: number;
}

/** What a server used during `work`, its own process and its PostgreSQL apart. */
export async function usageDuring(
  root: number,
  work: () => Promise<void>,
): Promise<{ readonly server: Usage; readonly postgres: Usage }> {
  const before = new Map(processTree(root).map((each) => [each.pid, each.cpuMs]));
  const startedAt = performance.now();
  await work();
  const elapsedMs = performance.now() - startedAt;
  const after = processTree(root);
  const isPostgres = (each: ProcessStat) => each.command.startsWith('postgres');
  const usage = (members: readonly ProcessStat[]): Usage => ({
    cores: members.reduce((sum, each) => sum + each.cpuMs - (before.get(each.pid) ?? 0), 0) / elapsedMs,
    memory: members.reduce((sum, each) => {
      const memory = memoryOf(each.pid);
      return sum + (members.length === 1 ? memory.rss : memory.pss);
    }, 0),
  });
  return {
    server: usage(after.filter((each) => !isPostgres(each) && each.command !== 'unshare')),
    postgres: usage(after.filter(isPostgres)),
  };
}
