import { type HttpMount, mergeOpenApi, type OpenApiDocument, problem, writeProblem } from '@millrace/http';

/** One OpenAPI document of every service behind this front, at the path where each has its own when it runs alone. */
export function apiDocumentMount(documents: readonly OpenApiDocument[]): HttpMount {
  const body = Buffer.from(JSON.stringify(mergeOpenApi(documents)));
  return {
    prefix: '/api/v1/openapi.json',
    handle(request, response) {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        const detail = `expected GET or HEAD, got ${request.method}`;
        return writeProblem(response, problem(405, 'method-not-allowed', 'Method not allowed', { detail }));
      }
      const headers = {
        'content-type': 'application/json',
        'content-length': body.length,
        'cache-control': 'no-cache',
      };
      response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : body);
    },
  };
}
