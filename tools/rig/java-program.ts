/** Java programs beside tests and tools: small, quick to start, and gone with who started them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { findOnPath } from '../setup/programs.mjs';

const small = ['-Xms128m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'];

/** Starts `main` of the jars in a folder. */
export function spawnJava(options: {
  readonly jars: string;
  readonly main: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** `-D...` and other options of the JVM. */
  readonly jvm?: readonly string[];
}): ChildProcess {
  const { jars, main, args, cwd, jvm = [] } = options;
  const java = ['java', ...small, ...jvm, '-cp', join(jars, '*'), main, ...args];
  // A test runner that is killed must not leave a JVM: the kernel ends it with the thread that started it, which has to be a
  // main thread, therefore. Elsewhere than on Linux there is no such thing.
  const setpriv = findOnPath(['setpriv']);
  const [command = 'java', ...rest] = setpriv ? [setpriv, '--pdeathsig', 'KILL', '--', ...java] : java;
  return spawn(command, rest, { cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
}

/** What a program has said last, for the error when it does not start. */
export function lastLines(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (more: string) => {
      text = (text + more).slice(-4_000);
    });
  }
  return () => text.trim() || 'it said nothing';
}
