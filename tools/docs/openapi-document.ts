import { pathToFileURL } from 'node:url';
import { mergeOpenApi, type OpenApiDocument } from '@millrace/http';
import { inRepository } from '../setup/workspace.mjs';

/** Services with a REST API, the one whose title and texts head the document first. */
const services = ['control', 'progress', 'analytics'];

/** docs/generated/openapi.json: the REST API of all services, as standalone serves it at /api/v1/openapi.json. */
export async function openApiDocument(): Promise<string> {
  const documents: OpenApiDocument[] = [];
  for (const service of services) {
    const file = inRepository('apps', service, 'src', 'inbound', 'openapi.ts');
    const { openApiDocument: build } = (await import(pathToFileURL(file).href)) as {
      openApiDocument: () => OpenApiDocument;
    };
    documents.push(build());
  }
  return `${JSON.stringify(mergeOpenApi(documents), null, 2)}\n`;
}
