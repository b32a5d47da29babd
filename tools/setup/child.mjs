/** Child processes of the set-up. */
import { spawn, spawnSync } from 'node:child_process';
import { rootDir } from './workspace.mjs';

/**
 * Runs a command in the repository with the terminal's input and output.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string>, quiet?: boolean, cwd?: string }} [options] `quiet`: stdout goes to stderr
 * @returns {Promise<number>} its exit code; 128 + n after signal n, 127 when it cannot be started
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? rootDir,
      env: { ...process.env, ...options.env },
      stdio: ['inherit', options.quiet ? 2 : 'inherit', 'inherit'],
    });
    // The terminal signals the whole group, the child included; here we only stay alive to pass on its exit code. A
    // SIGTERM goes to this process alone and has to be handed down.
    const onInterrupt = () => {};
    const onTerminate = () => child.kill('SIGTERM');
    process.on('SIGINT', onInterrupt);
    process.on('SIGTERM', onTerminate);
    /** @param {number} code */
    const end = (code) => {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
      resolve(code);
    };
    child.on('error', () => end(127));
    child.on('exit', (code, signal) => end(code ?? 128 + signalNumber(signal)));
  });
}

/**
 * Runs a command and returns what it printed.
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {{ ok: boolean, output: string }} `ok` is false when it failed, was not found or took over 15 s
 */
export function ask(command, args) {
  const done = spawnSync(command, args, { cwd: rootDir, encoding: 'utf8', timeout: 15_000, maxBuffer: 4 << 20 });
  return { ok: done.status === 0, output: `${done.stdout ?? ''}${done.stderr ?? ''}` };
}

/** @param {NodeJS.Signals | null} signal */
function signalNumber(signal) {
  return signal === 'SIGINT' ? 2 : signal === 'SIGKILL' ? 9 : signal === 'SIGTERM' ? 15 : 1;
}
