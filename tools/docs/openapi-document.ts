import { pathToFileURL } from 'node:url';
import { mergeOpenApi, type OpenApiDocument } from '@millrace/http';
import { inRepository } from '../setup/workspace.mjs';

/** docs/generated/openapi.json: the REST API of all services, as the front serves it at /api/v1/openapi.json. */
export async function openApiDocument(): Promise<string> {
  const control = await documentOf('control');
  return `${JSON.stringify(mergeOpenApi([control, await documentOf('analytics')]), null, 2)}\n`;
}

async function documentOf(app: string): Promise<OpenApiDocument> {
  const file = inRepository('apps', app, 'src/inbound/openapi.ts');
  const { openApiDocument: build } = (await import(pathToFileURL(file).href)) as {
    openApiDocument: () => OpenApiDocument;
  };
  return build();
}
