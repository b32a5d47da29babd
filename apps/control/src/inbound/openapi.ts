import type { OpenAPIHono } from '@hono/zod-openapi';
import { createApiApp, type OpenApiDocument, serveApiDocument } from '@millrace/http';
import { type Logger, silentLogger } from '@millrace/log';
import { isRetryable } from '@millrace/postgres';
import type { ControlEnv, RouteDeps } from './api-context.ts';
import { addKeyRoutes } from './key-routes.ts';
import { addPlaybackRoutes } from './playback-routes.ts';
import { addSignInRoutes } from './sign-in-routes.ts';
import { addStreamRoutes } from './stream-routes.ts';
import { addTokenRoutes } from './token-routes.ts';
import { addVideoTokenRoutes } from './video-token-routes.ts';

/** The REST API of control. */
export interface ControlApi {
  readonly app: OpenAPIHono<ControlEnv>;
  /** The document that `/api/v1/openapi.json` answers. */
  readonly document: OpenApiDocument;
}

/** Builds the API with all of its routes. */
export function createControlApi(deps: RouteDeps, log: Logger): ControlApi {
  const app = createApiApp<ControlEnv>({ log, idSource: deps.idSource, isOutage: isRetryable });
  addSignInRoutes(app, deps);
  addStreamRoutes(app, deps);
  addKeyRoutes(app, deps);
  addPlaybackRoutes(app, deps);
  addVideoTokenRoutes(app, deps);
  addTokenRoutes(app, deps);
  const document = serveApiDocument(app, {
    path: '/api/v1/openapi.json',
    title: 'Millrace',
    description: 'Live streams, their keys and tokens. Errors are RFC 9457 problem documents.',
    tags: [
      { name: 'sign-in', description: 'From an admin link to a token.' },
      { name: 'streams', description: 'What is broadcast, and its state.' },
      { name: 'stream keys', description: 'What an encoder needs to publish.' },
      { name: 'playback', description: 'What a player needs to watch.' },
      { name: 'API tokens', description: 'What a program needs to call this API.' },
    ],
  });
  return { app, document };
}

/** The document without a running service, for the generated reference. */
export function openApiDocument(): OpenApiDocument {
  // building the document declares the routes and calls none, so nothing behind them is needed
  return createControlApi({} as RouteDeps, silentLogger).document;
}
