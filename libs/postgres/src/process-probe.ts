import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';

/** Whether the process is the postmaster of `cluster`, which it has as its working directory. */
export function isPostmasterOf(pid: number, cluster: string): boolean {
  try {
    return (
      realpathSync(`/proc/${pid}/cwd`) === realpathSync(cluster) &&
      readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('postgres')
    );
  } catch {
    const ps = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
    return ps.status === 0 && ps.stdout.includes('postgres') && ps.stdout.includes(cluster);
  }
}
