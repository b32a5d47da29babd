/** The Node.js that runs us. */
import { SetupStop } from './report.mjs';

/** The oldest Node.js that Millrace runs on, as in package.json's `engines`. */
export const oldestNode = [20, 19];

/**
 * Stops unless `version` is new enough.
 * @param {string} version such as `20.19.4`
 */
export function checkNodeVersion(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantMajor = 0, wantMinor = 0] = oldestNode;
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return;
  throw new SetupStop([
    `Millrace needs Node.js ${oldestNode.join('.')} or newer; this is ${version} (${process.execPath}).`,
    'Install Node.js 20 LTS or newer: https://nodejs.org/en/download, or `nvm install 20`.',
  ]);
}
