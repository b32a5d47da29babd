import { pathToFileURL } from 'node:url';
import { inRepository } from '../setup/workspace.mjs';

/** docs/generated/openapi.json: the REST API as control serves it at /api/v1/openapi.json. */
export async function openApiDocument(): Promise<string> {
  const file = inRepository('apps/control/src/inbound/openapi.ts');
  const { openApiDocument: build } = (await import(pathToFileURL(file).href)) as { openApiDocument: () => unknown };
  return `${JSON.stringify(build(), null, 2)}\n`;
}
