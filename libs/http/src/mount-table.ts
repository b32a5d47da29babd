import type { HttpMount } from './service.ts';

/** Finds the mount of a path: the longest prefix on a segment boundary. Two mounts of one prefix are a bug and throw. */
export function createMountTable(mounts: readonly HttpMount[]): (path: string) => HttpMount | undefined {
  const byPrefix = new Map<string, HttpMount>();
  for (const mount of mounts) {
    const key = mount.prefix === '/' ? '' : mount.prefix;
    if (mount.prefix !== '/' && !/^(\/[^/?#]+)+$/.test(mount.prefix)) {
      throw new Error(`mount prefix: expected "/" or a path without a trailing slash, got "${mount.prefix}"`);
    }
    if (byPrefix.has(key)) throw new Error(`mount prefix "${mount.prefix}" is taken twice`);
    byPrefix.set(key, mount);
  }
  return (path) => {
    let prefix = path;
    for (;;) {
      const mount = byPrefix.get(prefix);
      if (mount !== undefined) return mount;
      const cut = prefix.lastIndexOf('/');
      if (cut < 0) return undefined;
      prefix = prefix.slice(0, cut);
    }
  };
}

/**
 * The path of a request target without its query. Absolute-form targets (RFC 9112 3.2.2) lose scheme and authority;
 * anything else that does not start with a slash gives undefined.
 */
export function targetPath(target: string): string | undefined {
  let path = target;
  if (!path.startsWith('/')) {
    const match = /^https?:\/\/[^/?#]*(\/[^?#]*)?/i.exec(path);
    if (match === null) return undefined;
    path = match[1] ?? '/';
  }
  const end = path.search(/[?#]/);
  return end < 0 ? path : path.slice(0, end);
}
