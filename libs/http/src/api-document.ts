import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Env } from 'hono';
import type { OpenApiDocument } from './open-api.ts';

/** What a service says of its API. Every tag that a route names is described. */
export interface ApiDescription {
  /** Where the service itself answers the document. */
  readonly path: string;
  readonly title: string;
  readonly description?: string;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
}

/** The OpenAPI 3.1 document of every route of `app`, which bearer tokens open; `app` answers it at `path` from now on. */
export function serveApiDocument<E extends Env>(app: OpenAPIHono<E>, description: ApiDescription): OpenApiDocument {
  const { path, tags, title, ...rest } = description;
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'An API token: from a sign-in, or of POST /api/v1/tokens.',
  });
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title, version: '1', ...rest, license: { name: 'MIT' } },
    servers: [{ url: '/' }],
    tags: [...tags],
  }) as unknown as OpenApiDocument; // openapi3-ts describes the same document with wider types
  app.get(path, (c) => c.json(document));
  return document;
}
