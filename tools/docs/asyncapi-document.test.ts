import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv, type AnySchema } from 'ajv';
import { expect, it } from 'vitest';
import { asyncApiDocument } from './asyncapi-document.ts';

const schema = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve('@asyncapi/specs/schemas/3.0.0.json'), 'utf8'),
) as { definitions: Record<string, AnySchema> };
// Ajv knows the meta-schema of draft 7 by itself, and takes no second one.
delete schema.definitions['http://json-schema.org/draft-07/schema'];
delete schema.definitions['http://json-schema.org/draft-04/schema'];
const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);

it('the AsyncAPI document of the hub is one by the specification’s own schema, and points at nothing that is not there', async () => {
  const text = await asyncApiDocument();
  const document = JSON.parse(text) as Record<string, unknown>;
  validate(document);
  expect(validate.errors ?? []).toEqual([]);
  for (const [, ref = ''] of text.matchAll(/"\$ref": "#\/([^"]+)"/g)) {
    const target = ref.split('/').reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], document);
    expect(target, ref).toBeDefined();
  }
});

it('a document without its channel is none', async () => {
  const document = JSON.parse(await asyncApiDocument()) as Record<string, unknown>;
  expect(validate({ ...document, operations: { ask: { action: 'shout' } } })).toBe(false);
});
