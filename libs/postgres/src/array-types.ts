/**
 * One-dimensional arrays for postgres.js. Its own way is to fetch the array types on every new connection, in a promise
 * nobody awaits: when the server dies at that moment the rejection is unhandled and ends the process.
 */
import type postgres from 'postgres';

type Element = string | number | bigint | boolean | null | undefined;

/** What JSON escapes besides quotes and backslashes (control characters, halves of pairs), and PostgreSQL does not. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const unlikeJson = /[\u0000-\u001f\ud800-\udfff]/;

/** PostgreSQL's text form: `{"a","b",NULL}`. */
export function serializeArray(values: readonly Element[]): string {
  const texts = values.map((value) => {
    if (value === null || value === undefined) return 'NULL';
    const text = String(value);
    // The same escapes, several times as fast: whole batches of the event log go through here.
    if (!unlikeJson.test(text)) return JSON.stringify(text);
    return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  });
  return `{${texts.join(',')}}`;
}

/** Reads PostgreSQL's text form back; elements are texts, NULL is null. */
export function parseArray(text: string): (string | null)[] {
  const values: (string | null)[] = [];
  let at = 1;
  while (at < text.length - 1) {
    let value = '';
    if (text[at] === '"') {
      for (at++; text[at] !== '"'; at++) {
        if (text[at] === '\\') at++;
        value += text[at] ?? '';
      }
      at++;
      values.push(value);
    } else {
      const end = text.indexOf(',', at);
      value = text.slice(at, end < 0 ? text.length - 1 : end);
      at += value.length;
      values.push(value === 'NULL' ? null : value);
    }
    at++; // the comma
  }
  return values;
}

const arrayType = (oid: number, parse: (element: string) => Element): postgres.PostgresType => ({
  ...{ to: oid, from: [oid], serialize: serializeArray },
  parse: (text: string) => parseArray(text).map((element) => (element === null ? null : parse(element))),
});

/** By the type ids of pg_type.dat. */
export const arrayTypes = {
  booleans: arrayType(1000, (text) => text === 't'),
  int4s: arrayType(1007, Number),
  texts: arrayType(1009, String),
  int8s: arrayType(1016, BigInt),
} as const;
