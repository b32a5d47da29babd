/**
 * Settings are a table: environment variable -> schema, default and one line of documentation. The table is parsed
 * whole, all mistakes are returned at once (a main prints them and exits 64), and the docs are generated from it.
 */
import { err, ok, type Result } from '@millrace/result';
import { z } from 'zod';
import { Secret } from './secret.ts';

/** One setting. `schema` parses the variable's text; `fallback` is the text used when it is unset (undefined: required). */
export interface Setting<T> {
  readonly doc: string;
  readonly schema: z.ZodType<T, unknown>;
  readonly fallback: string | undefined;
  readonly secret: boolean;
  readonly optional: boolean;
}

export type SettingsTable = Readonly<Record<string, Setting<unknown>>>;
export type Settings<S extends SettingsTable> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

export interface SettingMistake {
  readonly variable: string;
  readonly expected: string;
  readonly got: string;
}

type Given = { readonly doc: string; readonly fallback?: string; readonly secret?: boolean };

function make<T>(given: Given, schema: z.ZodType<T, unknown>, optional = false): Setting<T> {
  return { doc: given.doc, schema, fallback: given.fallback, secret: given.secret ?? false, optional };
}

/** Builders of settings by type; `fallback` is written as the variable's text would be. */
export const setting = {
  text: (given: Given & { readonly pattern?: RegExp }) =>
    make(given, given.pattern ? z.string().regex(given.pattern) : z.string().min(1)),
  optionalText: (given: Given) => make<string | undefined>(given, z.string().optional(), true),
  /** A secret that no log shows: at least `shortest` characters, or of a pattern that `expected` puts into words. */
  optionalSecret: (given: {
    readonly doc: string;
    readonly shortest?: number;
    readonly pattern?: { readonly regex: RegExp; readonly expected: string };
  }) => {
    const text = z.string().min(given.shortest ?? 1, `${given.shortest ?? 1} characters or more`);
    const shaped = given.pattern === undefined ? text : text.regex(given.pattern.regex, given.pattern.expected);
    const schema = shaped.transform((value) => new Secret(value)).optional();
    return make<Secret | undefined>({ doc: given.doc, secret: true }, schema, true);
  },
  integer: (given: Given & { readonly min: number; readonly max: number }) =>
    make(
      given,
      z
        .string()
        .regex(/^-?\d+$/, 'a whole number')
        .transform(Number)
        .pipe(z.number().int().min(given.min).max(given.max)),
    ),
  number: (given: Given & { readonly min: number; readonly max: number }) =>
    make(given, z.string().transform(Number).pipe(z.number().min(given.min).max(given.max))),
  /** A TCP port; 0 asks the system for a free one. */
  port: (given: Given) =>
    make(given, z.string().regex(/^\d+$/, 'a port number').transform(Number).pipe(z.number().int().min(0).max(65535))),
  flag: (given: Given) =>
    make(
      given,
      z.enum(['true', 'false', '1', '0']).transform((v) => v === 'true' || v === '1'),
    ),
  oneOf: <const V extends readonly [string, ...string[]]>(given: Given & { readonly values: V }) =>
    make<V[number]>(given, z.enum(given.values)),
  url: (given: Given) => make(given, z.url()),
  optionalUrl: (given: Given) => make<string | undefined>(given, z.url().optional(), true),
  /** Comma-separated list; empty text is an empty list. */
  list: (given: Given) =>
    make(
      given,
      z.string().transform((text): readonly string[] =>
        text
          .split(',')
          .map((part) => part.trim())
          .filter(Boolean),
      ),
    ),
} as const;

/** Names a table of settings; the keys are the environment variables. */
export function defineSettings<const S extends SettingsTable>(table: S): S {
  return table;
}

/** Parses every setting of `table` from `env`; on failure returns all mistakes. An empty variable counts as unset. */
export function loadSettings<S extends SettingsTable>(
  table: S,
  env: Readonly<Record<string, string | undefined>>,
): Result<Settings<S>, readonly SettingMistake[]> {
  const values: Record<string, unknown> = {};
  const mistakes: SettingMistake[] = [];
  for (const [variable, entry] of Object.entries(table)) {
    const text = env[variable] === undefined || env[variable] === '' ? entry.fallback : env[variable];
    if (text === undefined && !entry.optional) {
      mistakes.push({ variable, expected: entry.doc, got: 'nothing (it is required)' });
      continue;
    }
    const parsed = entry.schema.safeParse(text);
    if (parsed.success) values[variable] = parsed.data;
    else {
      const expected = parsed.error.issues.map((issue) => issue.message).join('; ');
      mistakes.push({ variable, expected, got: entry.secret ? '[redacted]' : JSON.stringify(text) });
    }
  }
  return mistakes.length > 0 ? err(mistakes) : ok(values as Settings<S>);
}

/** Rows for the generated documentation: variable, default as text (undefined: required), and the doc line. */
export function describeSettings(table: SettingsTable): readonly { variable: string; fallback: string; doc: string }[] {
  return Object.entries(table).map(([variable, entry]) => ({
    variable,
    fallback: entry.fallback ?? (entry.optional ? 'unset' : 'required'),
    doc: entry.doc,
  }));
}
