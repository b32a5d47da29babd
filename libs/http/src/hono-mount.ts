import { getRequestListener } from '@hono/node-server';
import { problem, problemResponse } from './problem.ts';
import type { HttpMount } from './service.ts';

/** What a hono app looks like from here. */
interface FetchApp {
  fetch(request: Request, env: unknown): Response | Promise<Response>;
}

/** Mounts a hono app whose routes carry their full paths. Global Request and Response are left as they are. */
export function honoMount(prefix: string, app: FetchApp): HttpMount {
  const listener = getRequestListener((request, env) => app.fetch(request, env), {
    overrideGlobalObjects: false,
    errorHandler: () => problemResponse(problem(400, 'bad-request', 'The request could not be read')),
  });
  return {
    prefix,
    handle(request, response) {
      void listener(request, response); // it answers failures itself through errorHandler
    },
  };
}
