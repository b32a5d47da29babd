/**
 * Processes that a killed worker left behind. Where the kernel ends children with their parent there are none; elsewhere they run
 * on, and write to files of a task that is another worker's by now. A process is taken for one when it works in the worker's
 * scratch folder or names it in its arguments, and has no terminal: somebody's shell in there is not ours.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type Clock, sleep } from '@millrace/clock';
import { isAlive, startMark } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';

interface Leftover {
  readonly pid: number;
  /** Ids are used again; with the time of its start it is this one. */
  readonly started: string | undefined;
}

/** Ends them all with SIGKILL and resolves with their number when they are gone; throws when one stays for 5 s. */
export async function endLeftovers(folder: string, clock: Clock, log: Logger): Promise<number> {
  const leftovers = findLeftovers(folder);
  for (const { pid } of leftovers) {
    log.warn('leftover-process-ended', { pid, folder });
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      log.debug('leftover-process-gone', { pid, error });
    }
  }
  const until = clock.monotonicMs() + 5_000;
  const stays = ({ pid, started }: Leftover) => isAlive(pid) && startMark(pid) === started;
  while (leftovers.some(stays)) {
    if (clock.monotonicMs() > until) {
      const pids = leftovers.filter(stays).map(({ pid }) => pid);
      throw new Error(
        `processes ${pids.join(', ')} of a worker that is gone use ${folder} and do not end: stop them first`,
      );
    }
    await sleep(clock, 20);
  }
  return leftovers.length;
}

function findLeftovers(folder: string): readonly Leftover[] {
  const mentions = (word: string) => word === folder || word.includes(`${folder}/`);
  return [...(processesOfProcfs() ?? processesOfPs())]
    .filter(({ pid, words }) => pid !== process.pid && words.some(mentions))
    .map(({ pid }) => ({ pid, started: startMark(pid) }));
}

interface Seen {
  readonly pid: number;
  /** Its working folder and its arguments. */
  readonly words: readonly string[];
}

/** Processes of this user without a terminal; undefined where there is no procfs. */
function processesOfProcfs(): readonly Seen[] | undefined {
  let names: string[];
  try {
    readlinkSync('/proc/self/cwd');
    names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return undefined;
  }
  return names.flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const terminal = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[4];
      if (terminal !== '0') return [];
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      return [{ pid: Number(name), words: [readlinkSync(`/proc/${name}/cwd`), ...words] }];
    } catch {
      return []; // it has ended, or is another user's
    }
  });
}

function processesOfPs(): readonly Seen[] {
  const ps = spawnSync('ps', ['-xo', 'pid=,tty=,command='], { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 });
  if (ps.status !== 0) return [];
  return ps.stdout.split('\n').flatMap((line) => {
    const [, pid, terminal, command] = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    return command !== undefined && /^\?+$/.test(terminal ?? '') ? [{ pid: Number(pid), words: [command] }] : [];
  });
}
