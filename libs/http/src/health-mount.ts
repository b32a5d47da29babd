import type { IncomingMessage, ServerResponse } from 'node:http';
import { type MetricsRegistry, renderMetrics } from '@millrace/metrics';
import { problem, writeProblem } from './problem.ts';
import type { HttpMount, Service } from './service.ts';

export interface HealthOptions {
  readonly services: readonly Pick<Service, 'name' | 'readiness'>[];
  readonly registries: readonly MetricsRegistry[];
}

/**
 * Mounts of `/healthz` (the process answers: 200), `/readyz` (503 with every reason while a service is not ready) and
 * `/metrics` (the registries merged).
 */
export function healthMounts(options: HealthOptions): readonly HttpMount[] {
  return [
    { prefix: '/healthz', handle: readOnly((_, response) => writeJson(response, 200, { status: 'ok' })) },
    {
      prefix: '/readyz',
      handle: readOnly((_, response) => {
        const services = options.services.map((service) => ({ name: service.name, ...service.readiness() }));
        const ready = services.every((service) => service.ready);
        writeJson(response, ready ? 200 : 503, { ready, services });
      }),
    },
    {
      prefix: '/metrics',
      handle: readOnly((_, response) => {
        renderMetrics(options.registries).then(
          ({ contentType, body }) => write(response, 200, contentType, body),
          () => writeProblem(response, problem(500, 'metrics-failed', 'Metrics could not be rendered')),
        );
      }),
    },
  ];
}

function readOnly(handle: HttpMount['handle']): HttpMount['handle'] {
  return (request: IncomingMessage, response: ServerResponse) => {
    if (request.method === 'GET' || request.method === 'HEAD') return handle(request, response);
    const detail = `expected GET or HEAD, got ${request.method}`;
    return writeProblem(response, problem(405, 'method-not-allowed', 'Method not allowed', { detail }), {
      allow: 'GET, HEAD',
    });
  };
}

function writeJson(response: ServerResponse, status: number, value: unknown): void {
  write(response, status, 'application/json', JSON.stringify(value));
}

function write(response: ServerResponse, status: number, contentType: string, text: string): void {
  const body = Buffer.from(text);
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
