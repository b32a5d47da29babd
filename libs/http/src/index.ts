export { type ApiAppOptions, type ApiVariables, createApiApp, ProblemError } from './api-app.ts';
export { type ApiDescription, serveApiDocument } from './api-document.ts';
export { type BearerOptions, bearerClaims } from './bearer-claims.ts';
export { type ClientAddress, createClientAddress, type TrustedProxies } from './client-address.ts';
export { type DocsMountOptions, docsMount } from './docs-mount.ts';
export { type HealthOptions, healthMounts } from './health-mount.ts';
export { honoMount } from './hono-mount.ts';
export { createHttpMetrics, type HttpMetrics, markRoute } from './http-metrics.ts';
export {
  defaultHttpLimits,
  type HttpLimits,
  type HttpServer,
  type HttpServerOptions,
  openHttpServer,
} from './http-server.ts';
export { assertListenable } from './listen-check.ts';
export { ListenError, toListenError } from './listen-error.ts';
export {
  type ActorEnv,
  type AnswerClaims,
  type Mutated,
  type MutationDeps,
  type MutationOptions,
  mutate,
} from './mutation.ts';
export { mergeOpenApi, type OpenApiDocument } from './open-api.ts';
export { type PageRequest, pageOfRows, pageRequest } from './page-cursor.ts';
export {
  type Problem,
  type ProblemIssue,
  problem,
  problemContentType,
  problemResponse,
  writeProblem,
} from './problem.ts';
export { type ProxySettings, proxySettings } from './proxy-settings.ts';
export { type AllowedNetworks, mayReach, parseNetworks } from './public-address.ts';
export {
  createPublicFetch,
  type PublicAnswer,
  type PublicFetch,
  type PublicFetchFailure,
  type PublicRequest,
} from './public-fetch.ts';
export {
  badRequest,
  bearer,
  body,
  idempotencyHeaders,
  inTheWay,
  json,
  needsBody,
  needsLogin,
  notFound,
  notThere,
  optionalBody,
  optionalTime,
  otherBody,
  otherVersion,
  time,
  tooMany,
} from './route-parts.ts';
export type { HttpMount, Readiness, Service } from './service.ts';
export { guardMount, type ServiceTokenGuard, serviceTokenGuard } from './service-token.ts';
export { acceptsGzip, type StaticMountOptions, staticMount, studioContentSecurityPolicy } from './static-mount.ts';
