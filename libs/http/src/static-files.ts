/**
 * A folder of built web files, read once into memory: a request can only name what was there, so no path can lead out of
 * the folder. Text is compressed when the folder is read, not when it is asked for.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, posix } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

export interface StaticFile {
  readonly body: Buffer;
  /** The body compressed; undefined where that saves nothing. */
  readonly gzipped: Buffer | undefined;
  readonly contentType: string;
  /** Quoted strong entity tag of the plain body. */
  readonly etag: string;
  /** The name carries a content hash, so the bytes behind it never change. */
  readonly hashed: boolean;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};
const compressible = /^(text\/|application\/(json|manifest|wasm)|image\/svg)/;
/** `index-B3xk_9aQ.js`, as Vite and esbuild write them. */
const hashedName = /[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;
const compress = promisify(gzip);

/**
 * Reads `dir` and its folders. Dot files and links are left out. Throws when the files weigh more than `maxBytes`, because
 * then it is not a built site. Keys are URL paths relative to the mount (`assets/index-B3xk.js`).
 */
export async function readStaticFiles(dir: string, maxBytes: number): Promise<ReadonlyMap<string, StaticFile>> {
  const files = new Map<string, StaticFile>();
  let total = 0;
  const visit = async (folder: string, prefix: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue;
      const path = join(folder, entry.name);
      const name = posix.join(prefix, entry.name);
      if (entry.isDirectory()) await visit(path, name);
      if (!entry.isFile()) continue;
      total += (await stat(path)).size;
      if (total > maxBytes)
        throw new Error(`static folder ${dir}: expected at most ${maxBytes} bytes, ${name} goes over`);
      files.set(name, await describe(name, await readFile(path)));
    }
  };
  await visit(dir, '');
  return files;
}

async function describe(name: string, body: Buffer): Promise<StaticFile> {
  const contentType = contentTypes[extname(name).toLowerCase()] ?? 'application/octet-stream';
  const gzipped = compressible.test(contentType) && body.length > 512 ? await compress(body, { level: 9 }) : undefined;
  return {
    body,
    gzipped: gzipped !== undefined && gzipped.length < body.length ? gzipped : undefined,
    contentType,
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    hashed: name.includes('/') && hashedName.test(name),
  };
}
