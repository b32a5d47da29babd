/** The parts of an OpenAPI 3.1 document that merging looks at. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths?: Readonly<Record<string, unknown>>;
  readonly components?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly tags?: readonly { readonly name: string; readonly description?: string }[];
  readonly [extension: string]: unknown;
}

/**
 * One document of several services' documents: `info` and `openapi` of the first. The same component in two documents
 * must be equal (`Problem`, `Error`), a path must stand in one only; anything else is a bug and throws.
 */
export function mergeOpenApi(documents: readonly OpenApiDocument[]): OpenApiDocument {
  const first = documents[0];
  if (first === undefined) throw new Error('mergeOpenApi: expected at least one document');
  const paths: Record<string, unknown> = {};
  const components: Record<string, Record<string, unknown>> = {};
  const tags = new Map<string, { readonly name: string; readonly description?: string }>();
  for (const document of documents) {
    for (const [path, item] of Object.entries(document.paths ?? {})) {
      if (path in paths) throw new Error(`mergeOpenApi: path ${path} stands in two documents`);
      paths[path] = item;
    }
    for (const [section, entries] of Object.entries(document.components ?? {})) {
      const merged = (components[section] ??= {});
      for (const [name, value] of Object.entries(entries)) {
        if (name in merged && JSON.stringify(merged[name]) !== JSON.stringify(value)) {
          throw new Error(`mergeOpenApi: component ${section}/${name} differs between documents`);
        }
        merged[name] = value;
      }
    }
    for (const tag of document.tags ?? []) tags.set(tag.name, tag);
  }
  return { ...first, paths, components, tags: [...tags.values()] };
}
