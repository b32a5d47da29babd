import type { OpenAPIHono } from '@hono/zod-openapi';
import { createApiApp, type OpenApiDocument, serveApiDocument } from '@millrace/http';
import { type Logger, silentLogger } from '@millrace/log';
import type { AnalyticsEnv, RouteDeps } from './api-context.ts';
import { addExportRoute } from './export-routes.ts';
import { ExportSlots } from './export-slots.ts';
import { addLiveRoutes } from './live-routes.ts';
import { addMetricRoutes } from './metric-routes.ts';
import { addSessionRoutes } from './session-routes.ts';
import { addSqlRoute } from './sql-routes.ts';

/** The REST API of analytics. */
export interface AnalyticsApi {
  readonly app: OpenAPIHono<AnalyticsEnv>;
  /** To be merged with control's into the document that is served. */
  readonly document: OpenApiDocument;
}

/** Builds the API with all of its routes. */
export function createAnalyticsApi(deps: RouteDeps, slots: ExportSlots, log: Logger): AnalyticsApi {
  const app = createApiApp<AnalyticsEnv>({ log, idSource: deps.idSource });
  addLiveRoutes(app, deps);
  addMetricRoutes(app, deps);
  addSessionRoutes(app, deps);
  addExportRoute(app, deps, slots);
  addSqlRoute(app, deps, slots);
  const document = serveApiDocument(app, {
    path: '/api/v1/analytics/openapi.json',
    title: 'Millrace analytics',
    tags: [{ name: 'analytics', description: 'Who watched what, how well it played, what encoders sent.' }],
  });
  return { app, document };
}

/** The document without a running service, for the generated reference. */
export function openApiDocument(): OpenApiDocument {
  // building the document declares the routes and calls none, so nothing behind them is needed
  return createAnalyticsApi({} as RouteDeps, new ExportSlots(0, () => {}), silentLogger).document;
}
