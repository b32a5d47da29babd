/**
 * A program in a process group of its own, which ends with us whatever happens: it is asked to end, then made to; and should we
 * die ourselves, by `kill -9` even, the kernel ends it (`setpriv --pdeathsig`, where that is installed).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';

/** From SIGTERM to SIGKILL, ms. */
const graceMs = 200;

export interface ProcessTree {
  readonly pid: number | undefined;
  /** Standard output, standard error, and pipe 3, where `-progress` goes. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly third: Readable;
  /** Settles when the program has ended and its pipes are read; never rejects. */
  readonly ended: Promise<TreeEnd>;
  /** Ends the whole group: SIGTERM, and SIGKILL 200 ms later. */
  end(): void;
}

export type TreeEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'unstarted'; readonly message: string };

export interface TreeOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** 0..19; higher yields more to other processes. */
  readonly niceness: number;
  readonly folder?: string | undefined;
}

/** Starts a program. Its environment is only where programs lie: nothing of ours is in a crash report of it. */
export function startTree(options: TreeOptions): ProcessTree {
  const words = [options.program, ...options.args];
  if (options.niceness > 0) words.unshift('nice', '-n', String(options.niceness));
  if (canTieToParent()) words.unshift('setpriv', '--pdeathsig', 'KILL', '--');
  const [program = '', ...args] = words;
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { PATH: searchPath(), LC_ALL: 'C.UTF-8', AV_LOG_FORCE_NOCOLOR: '1' },
    ...(options.folder === undefined ? {} : { cwd: options.folder }),
  });
  const ended = endOf(child);
  let killing: ReturnType<typeof setTimeout> | undefined;
  void ended.then(() => {
    clearTimeout(killing);
    // What the program started and left behind is in its group still.
    signalGroup(child.pid, 'SIGKILL');
  });
  const [, stdout, stderr, third] = child.stdio;
  return {
    pid: child.pid,
    stdout: stdout as Readable,
    stderr: stderr as Readable,
    third: third as Readable,
    ended,
    end: () => {
      if (killing !== undefined) return;
      signalGroup(child.pid, 'SIGTERM');
      killing = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), graceMs);
    },
  };
}

function endOf(child: ChildProcess): Promise<TreeEnd> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ kind: 'unstarted', message: error.message }));
    // `close` comes after the pipes are at their end, so that the last words are there.
    child.once('close', (code, signal) =>
      resolve(signal === null ? { kind: 'exited', code: code ?? -1 } : { kind: 'killed', signal }),
    );
  });
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended.
  }
}

/** Where programs lie is not a setting of ours; everything else that the environment holds stays with us. */
function searchPath(): string {
  // eslint-disable-next-line no-restricted-syntax -- handed on to a program, decides nothing here
  return process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
}

let tied: boolean | undefined;
/** `setpriv` of util-linux is on every Debian, Fedora and Alpine with util-linux; elsewhere we do without. */
function canTieToParent(): boolean {
  tied ??= process.platform === 'linux' && isOnPath('setpriv');
  return tied;
}

function isOnPath(name: string): boolean {
  return searchPath()
    .split(delimiter)
    .some((folder) => {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
