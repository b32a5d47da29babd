/** Where things are in the repository. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const rootDir = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Folder of what the set-up builds and remembers; safe to delete. */
export const cacheDir = join(rootDir, '.cache');

/**
 * A path inside the repository.
 * @param {...string} parts
 * @returns {string}
 */
export function inRepository(...parts) {
  return join(rootDir, ...parts);
}
