import { stat } from 'node:fs/promises';

/** What tells a file from one that was written since, under the same name or another; undefined: it cannot be looked at. */
export function markOf(path: string): Promise<string | undefined> {
  return stat(path, { bigint: true }).then(
    ({ dev, ino, size, mtimeNs }) => `${dev} ${ino} ${size} ${mtimeNs} ${path}`,
    () => undefined, // opening it says better what is wrong with it
  );
}
