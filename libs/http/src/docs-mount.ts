/** The rendered API reference: Swagger UI's own files from this machine, no content delivery network. */
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { targetPath } from './mount-table.ts';
import { problem, writeProblem } from './problem.ts';
import type { HttpMount } from './service.ts';
import { acceptsGzip } from './static-mount.ts';

export interface DocsMountOptions {
  /** URL of the OpenAPI document, such as `/api/v1/openapi.json`. */
  readonly openApiUrl: string;
  readonly title: string;
  /** Where the reference stands; default `/docs`. */
  readonly prefix?: string;
  /** Folder of swagger-ui-dist's files; default: the installed package. */
  readonly assetsDir?: string;
}

interface Page {
  readonly contentType: string;
  readonly body: Buffer;
  readonly gzipped: Buffer;
}

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/** Mounts the reference at `/docs`; its files are read on the first visit, so starting does not wait for them. */
export function docsMount(options: DocsMountOptions): HttpMount {
  const prefix = options.prefix ?? '/docs';
  let pages: Promise<ReadonlyMap<string, Page>> | undefined;
  return {
    prefix,
    handle(request, response) {
      const name = (targetPath(request.url ?? '') ?? '').slice(prefix.length).replace(/^\//, '');
      pages ??= loadPages(prefix, options);
      pages.then(
        (all) => {
          const page = all.get(name);
          if (page === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) {
            return writeProblem(
              response,
              problem(404, 'not-found', 'Not found', { detail: `no page ${prefix}/${name}` }),
            );
          }
          return sendPage(response, page, acceptsGzip(request.headers['accept-encoding']));
        },
        () => {
          pages = undefined;
          const detail = 'the files of swagger-ui-dist could not be read';
          writeProblem(response, problem(500, 'docs-missing', 'The reference cannot be shown', { detail }));
        },
      );
    },
  };
}

async function loadPages(prefix: string, options: DocsMountOptions): Promise<ReadonlyMap<string, Page>> {
  const require = createRequire(import.meta.url);
  const dir = options.assetsDir ?? dirname(require.resolve('swagger-ui-dist/package.json'));
  const compress = promisify(gzip);
  const page = async (contentType: string, text: string | Buffer): Promise<Page> => {
    const body = Buffer.from(text);
    return { contentType, body, gzipped: await compress(body) };
  };
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(options.title)}</title><link rel="stylesheet" href="${prefix}/swagger-ui.css"></head>
<body><div id="reference"></div><script src="${prefix}/swagger-ui-bundle.js"></script><script src="${prefix}/start.js"></script></body></html>
`;
  const start = `SwaggerUIBundle({ url: ${JSON.stringify(options.openApiUrl)}, dom_id: '#reference', deepLinking: true });\n`;
  return new Map([
    ['', await page('text/html; charset=utf-8', html)],
    ['start.js', await page('text/javascript; charset=utf-8', start)],
    ['swagger-ui.css', await page('text/css; charset=utf-8', await readFile(join(dir, 'swagger-ui.css')))],
    [
      'swagger-ui-bundle.js',
      await page('text/javascript; charset=utf-8', await readFile(join(dir, 'swagger-ui-bundle.js'))),
    ],
  ]);
}

function sendPage(response: ServerResponse, page: Page, useGzip: boolean): void {
  const body = useGzip ? page.gzipped : page.body;
  response.writeHead(200, {
    'content-type': page.contentType,
    'content-length': body.length,
    ...(useGzip ? { 'content-encoding': 'gzip' } : {}),
    vary: 'accept-encoding',
    'cache-control': 'no-cache',
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
