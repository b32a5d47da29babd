import type { HttpMount } from './service.ts';

interface Node {
  mount: HttpMount | undefined;
  readonly named: Map<string, Node>;
  /** The `{name}` child. */
  any: Node | undefined;
}

/**
 * Finds the mount of a path: the longest prefix on a segment boundary. A segment `{name}` of a prefix stands for any one segment that
 * is not empty; of prefixes of equal length the one that names more of its first segments wins, so `/streams/new` goes before
 * `/streams/{id}`. Two mounts of one prefix are a bug and throw, whatever their names are called.
 */
export function createMountTable(mounts: readonly HttpMount[]): (path: string) => HttpMount | undefined {
  const root = newNode();
  for (const mount of mounts) {
    if (mount.prefix !== '/' && !/^(\/([^/?#{}]+|\{[a-z_]+\}))+$/.test(mount.prefix)) {
      throw new Error(`mount prefix: expected "/" or a path without a trailing slash, got "${mount.prefix}"`);
    }
    let node = root;
    for (const segment of mount.prefix === '/' ? [] : mount.prefix.slice(1).split('/')) {
      if (segment.startsWith('{')) node = node.any ??= newNode();
      else {
        const next = node.named.get(segment) ?? newNode();
        node.named.set(segment, next);
        node = next;
      }
    }
    if (node.mount !== undefined) throw new Error(`mount prefix "${mount.prefix}" is taken twice`);
    node.mount = mount;
  }
  return (path) => deepest(root, path.split('/'), 1)?.mount;
}

interface Found {
  readonly mount: HttpMount;
  readonly depth: number;
}

/** The deepest mount below `node`; no deeper than the prefixes are, however long the path is. */
function deepest(node: Node, segments: readonly string[], at: number): Found | undefined {
  const here = node.mount === undefined ? undefined : { mount: node.mount, depth: at };
  const segment = segments[at];
  if (segment === undefined) return here;
  const named = node.named.get(segment);
  const found = [
    named === undefined ? undefined : deepest(named, segments, at + 1),
    node.any === undefined || segment === '' ? undefined : deepest(node.any, segments, at + 1),
    here,
  ];
  return found.reduce((best, one) => (one !== undefined && one.depth > (best?.depth ?? 0) ? one : best), undefined);
}

function newNode(): Node {
  return { mount: undefined, named: new Map(), any: undefined };
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
