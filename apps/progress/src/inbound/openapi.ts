import type { OpenAPIHono } from '@hono/zod-openapi';
import { createApiApp, type OpenApiDocument, serveApiDocument } from '@millrace/http';
import { type Logger, silentLogger } from '@millrace/log';
import { isRetryable } from '@millrace/postgres';
import type { ProgressEnv, RouteDeps } from './api-context.ts';
import { addCompositionRoutes } from './composition-routes.ts';
import { addImageRoutes } from './image-routes.ts';
import { addImageStatusRoutes } from './image-status-routes.ts';
import { addImageVideoRoutes } from './image-video-routes.ts';
import { addJobRoutes } from './job-routes.ts';
import { addPictureRoutes } from './picture-routes.ts';
import { requestTimes } from './request-times.ts';
import { addRunRoutes } from './run-routes.ts';
import { describeUploads } from './upload-routes.ts';
import { addVideoRoutes } from './video-routes.ts';
import { addWebhookRoutes } from './webhook-routes.ts';

/** The REST API of progress. */
export interface ProgressApi {
  readonly app: OpenAPIHono<ProgressEnv>;
  /** To be merged with control's into the document that is served. */
  readonly document: OpenApiDocument;
}

/** A thousand names of images, the longest body, take 131 KiB. */
const maxBodyBytes = 160 * 1024;

/** Builds the API with all of its routes. */
export function createProgressApi(deps: RouteDeps, log: Logger): ProgressApi {
  const app = createApiApp<ProgressEnv>({ log, idSource: deps.idSource, isOutage: isRetryable, maxBodyBytes });
  app.use('*', requestTimes(deps, log));
  addJobRoutes(app, deps);
  addVideoRoutes(app, deps);
  addRunRoutes(app, deps);
  addCompositionRoutes(app, deps);
  addImageRoutes(app, deps);
  addImageVideoRoutes(app, deps);
  addImageStatusRoutes(app, deps);
  addPictureRoutes(app, deps);
  addWebhookRoutes(app, deps);
  describeUploads(app.openAPIRegistry);
  const document = serveApiDocument(app, {
    path: '/api/v1/jobs/openapi.json',
    title: 'Millrace media jobs',
    tags: [
      { name: 'jobs', description: 'Long work on media: how far it is, and how to stop it.' },
      { name: 'videos', description: 'What is uploaded or imported, processed and played on demand.' },
      { name: 'compositions', description: 'Several videos joined to one.' },
      { name: 'images', description: 'Pictures and the videos made of them.' },
      { name: 'webhooks', description: 'Being told of the ends of jobs.' },
      { name: 'uploads', description: 'Originals, by the tus protocol.' },
    ],
  });
  return { app, document };
}

/** The document without a running service, for the generated reference. */
export function openApiDocument(): OpenApiDocument {
  // building the document declares the routes and calls none, so nothing behind them is needed
  return createProgressApi({} as RouteDeps, silentLogger).document;
}
