import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isAlive, startMark } from './process-probe.ts';

interface Owner {
  readonly pid: number;
  readonly started: string | undefined;
}

/**
 * Makes this process the owner of a folder until disposed. A lock whose process is gone (kill -9) is taken over; one
 * whose process lives makes this throw, so that two Millraces never share a data folder.
 */
export function lockFolder(lockFile: string, folder: string): Disposable {
  const mine: Owner = { pid: process.pid, started: startMark(process.pid) };
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(lockFile, JSON.stringify(mine), { flag: 'wx', mode: 0o600 });
      break;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST') || attempt > 2) throw error;
    }
    const owner = readOwner(lockFile);
    if (owner !== undefined && isAlive(owner.pid) && startMark(owner.pid) === owner.started) {
      throw new Error(
        `the data folder ${folder} is in use by process ${owner.pid}: stop that one first, or use another folder`,
      );
    }
    rmSync(lockFile, { force: true });
  }
  return {
    [Symbol.dispose]: () => {
      if (readOwner(lockFile)?.pid === mine.pid) rmSync(lockFile, { force: true });
    },
  };
}

function readOwner(lockFile: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(lockFile, 'utf8')) as Owner;
    return Number.isInteger(owner.pid) ? owner : undefined;
  } catch {
    return undefined; // gone again, or torn by a crash: nobody's
  }
}
