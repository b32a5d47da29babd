/** Readers for JSON that came over the wire: each checks a value and gives it its type, or throws a `WireMismatch`. */

/** What came was not what this version of the studio reads; `path` says where. */
export class WireMismatch extends Error {
  constructor(path: string, expected: string, got: unknown) {
    super(`${path === '' ? 'the answer' : path}: expected ${expected}, got ${describe(got)}`);
    this.name = 'WireMismatch';
  }
}

/** Checks `value`, found at `path`. */
export type Reader<T> = (value: unknown, path: string) => T;
/** The type that a reader gives. */
export type Read<R> = R extends Reader<infer T> ? T : never;

export const text: Reader<string> = (value, path) => {
  if (typeof value === 'string') return value;
  throw new WireMismatch(path, 'a text', value);
};

export const number: Reader<number> = (value, path) => {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new WireMismatch(path, 'a number', value);
};

export const integer: Reader<number> = (value, path) => {
  if (Number.isSafeInteger(value)) return number(value, path);
  throw new WireMismatch(path, 'a whole number', value);
};

export const truth: Reader<boolean> = (value, path) => {
  if (typeof value === 'boolean') return value;
  throw new WireMismatch(path, 'true or false', value);
};

/** One of the given texts. */
export function choice<const T extends string>(allowed: readonly T[]): Reader<T> {
  return (value, path) => {
    const found = allowed.find((one) => one === value);
    if (found !== undefined) return found;
    throw new WireMismatch(path, `one of ${allowed.join(', ')}`, value);
  };
}

/** `null` or absent is read as `null`. */
export function nullable<T>(read: Reader<T>): Reader<T | null> {
  return (value, path) => (value === null || value === undefined ? null : read(value, path));
}

/** `null` or absent is read as `undefined`. */
export function optional<T>(read: Reader<T>): Reader<T | undefined> {
  return (value, path) => (value === null || value === undefined ? undefined : read(value, path));
}

export function list<T>(read: Reader<T>): Reader<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new WireMismatch(path, 'a list', value);
    return value.map((item, index) => read(item, `${path}[${index}]`));
  };
}

type Fields = Readonly<Record<string, Reader<unknown>>>;

/** An object with these fields; others that came are dropped. */
export function object<F extends Fields>(fields: F): Reader<{ readonly [K in keyof F]: Read<F[K]> }> {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new WireMismatch(path, 'an object', value);
    }
    const source = value as Readonly<Record<string, unknown>>;
    const read = Object.entries(fields).map(([name, reader]) => [
      name,
      reader(source[name], path === '' ? name : `${path}.${name}`),
    ]);
    // The smart constructor of this module: each entry was made by the reader that gives the field its type.
    return Object.fromEntries(read) as { readonly [K in keyof F]: Read<F[K]> };
  };
}

function describe(value: unknown): string {
  const shown = JSON.stringify(value) ?? 'nothing';
  return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
}
