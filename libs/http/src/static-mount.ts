import type { IncomingMessage, ServerResponse } from 'node:http';
import { targetPath } from './mount-table.ts';
import { problem, writeProblem } from './problem.ts';
import type { HttpMount } from './service.ts';
import { readStaticFiles, type StaticFile } from './static-files.ts';

/**
 * Content security policy of the studio: everything from here; hls.js plays through blob: URLs and runs its worker from
 * one; styles may be inline because the player sets them.
 */
export const studioContentSecurityPolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob: data:",
  "worker-src 'self' blob:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

export interface StaticMountOptions {
  readonly dir: string;
  /** Where the files stand; default `/`. */
  readonly prefix?: string;
  /** File that answers a path without an extension that names no file (`index.html`), for client-side routes. */
  readonly spaFallback?: string;
  readonly contentSecurityPolicy?: string;
  /** Most bytes the folder may hold; default 64 MiB. */
  readonly maxBytes?: number;
}

/** Reads a folder of built files and mounts it. Rejects when the folder is missing or too large. */
export async function staticMount(options: StaticMountOptions): Promise<HttpMount> {
  const prefix = options.prefix ?? '/';
  const files = await readStaticFiles(options.dir, options.maxBytes ?? 64 * 1024 * 1024);
  const skip = prefix === '/' ? 1 : prefix.length + 1;
  const policy = options.contentSecurityPolicy ?? studioContentSecurityPolicy;
  const find = (path: string): StaticFile | undefined => {
    const name = decode(path.slice(skip));
    if (name === undefined) return undefined;
    const exact = files.get(name === '' || name.endsWith('/') ? `${name}index.html` : name);
    if (exact !== undefined || options.spaFallback === undefined) return exact;
    const last = name.slice(name.lastIndexOf('/') + 1);
    return last.includes('.') ? undefined : files.get(options.spaFallback);
  };
  return {
    prefix,
    handle(request, response) {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        const detail = `expected GET or HEAD, got ${request.method}`;
        const refusal = problem(405, 'method-not-allowed', 'Method not allowed', { detail });
        return writeProblem(response, refusal, { allow: 'GET, HEAD' });
      }
      const path = targetPath(request.url ?? '') ?? '/';
      const file = find(path);
      if (file === undefined) {
        return writeProblem(
          response,
          problem(404, 'not-found', 'Not found', { detail: `no file at ${path.slice(0, 200)}` }),
        );
      }
      return send(request, response, file, policy);
    },
  };
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined; // a stray percent sign names no file
  }
}

function send(request: IncomingMessage, response: ServerResponse, file: StaticFile, policy: string): void {
  const headers: Record<string, string | number> = {
    'cache-control': file.hashed ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag: file.etag,
    vary: 'accept-encoding',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'content-security-policy': policy,
  };
  const known = (request.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(file.etag) || known.includes('*')) {
    response.writeHead(304, headers);
    response.end();
    return;
  }
  const useGzip = file.gzipped !== undefined && acceptsGzip(request.headers['accept-encoding']);
  const body = useGzip && file.gzipped !== undefined ? file.gzipped : file.body;
  response.writeHead(200, {
    ...headers,
    // a strong tag names one representation (RFC 9110 8.8.3), so the compressed one is only weakly equal
    ...(useGzip ? { 'content-encoding': 'gzip', etag: `W/${file.etag}` } : {}),
    'content-type': file.contentType,
    'content-length': body.length,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Whether an Accept-Encoding header admits gzip: named without `q=0`. */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  return text.split(',').some((part) => {
    const [coding, ...params] = part.trim().toLowerCase().split(';');
    return coding === 'gzip' && !params.some((param) => /^\s*q=0(\.0*)?\s*$/.test(param));
  });
}
