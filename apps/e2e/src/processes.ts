/** What runs on this machine, from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

export interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Every process there is. */
export function runningProcesses(): readonly RunningProcess[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z') return [];
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return [{ pid: Number(name), parent: Number(fields[1]), command }];
    } catch {
      return []; // it ended meanwhile
    }
  });
}

/** Processes whose command line names `text`: a data folder is in that of its PostgreSQL. */
export function processesNaming(text: string): readonly RunningProcess[] {
  return runningProcesses().filter(({ command, pid }) => pid !== process.pid && command.includes(text));
}

/** `root`'s descendants. */
export function descendantsOf(root: number): readonly RunningProcess[] {
  const all = runningProcesses();
  const found = all.filter(({ parent }) => parent === root);
  for (let i = 0; i < found.length; i++) found.push(...all.filter(({ parent }) => parent === found[i]?.pid));
  return found;
}
