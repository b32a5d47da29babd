/** Stamps: a built thing is kept as long as the files it was built from have not changed. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rootDir } from './workspace.mjs';

/**
 * A fingerprint of files by path, size and modification time; a missing file counts as changed.
 * @param {readonly string[]} files paths inside the repository
 * @returns {string}
 */
export function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of [...files].sort()) {
    const stat = statSync(join(rootDir, file), { throwIfNoEntry: false });
    hash.update(`${file} ${stat ? `${stat.size} ${stat.mtimeMs}` : 'missing'}\n`);
  }
  return hash.digest('hex');
}

/**
 * All files under the given files and folders, without node_modules and dist.
 * @param {readonly string[]} paths inside the repository
 * @returns {string[]}
 */
export function filesUnder(paths) {
  /** @type {string[]} */
  const files = [];
  /** @param {string} path */
  const visit = (path) => {
    const stat = statSync(join(rootDir, path), { throwIfNoEntry: false });
    if (stat?.isFile()) files.push(path);
    if (!stat?.isDirectory()) return;
    for (const name of readdirSync(join(rootDir, path))) {
      if (name !== 'node_modules' && name !== 'dist') visit(`${path}/${name}`);
    }
  };
  for (const path of paths) visit(path);
  return files;
}

/**
 * Whether the stamp at `file` was written for exactly these inputs.
 * @param {string} file
 * @returns {boolean}
 */
export function stampHolds(file) {
  if (!existsSync(file)) return false;
  try {
    const stamp = JSON.parse(readFileSync(file, 'utf8'));
    const files = stamp.folders ? filesUnder(stamp.folders) : stamp.files;
    return stamp.version === process.version && stamp.fingerprint === fingerprint(files);
  } catch {
    return false;
  }
}

/**
 * Writes a stamp for a list of files, or for whole folders (then new files count as a change too).
 * @param {string} file
 * @param {{ files: readonly string[] } | { folders: readonly string[] }} inputs
 */
export function writeStamp(file, inputs) {
  const files = 'folders' in inputs ? filesUnder(inputs.folders) : inputs.files;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ ...inputs, version: process.version, fingerprint: fingerprint(files) }));
}
