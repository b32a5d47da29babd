/**
 * Expected failures as values: parse errors, refusals, conflicts. Bugs and broken infrastructure throw instead.
 * There is no map/andThen chain on purpose: `if (!r.ok) return r` reads like the Rust `?` it stands for.
 */
export type Result<T, E> = Ok<T> | Err<E>;
export interface Ok<T> {
  readonly ok: true;
  readonly value: T;
}
export interface Err<E> {
  readonly ok: false;
  readonly error: E;
}

/** A success that carries `value`. */
export function ok(): Ok<void>;
export function ok<T>(value: T): Ok<T>;
export function ok<T>(value?: T): Ok<T | undefined> {
  return { ok: true, value };
}

/** An expected failure; `error` is usually a union discriminated on `kind`. */
export function err<E>(error: E): Err<E> {
  return { ok: false, error };
}

/** Closes a switch over a union: adding a variant makes this call fail to compile. */
export function assertNever(value: never): never {
  throw new Error(`unreachable variant: ${JSON.stringify(value)}`);
}

/** The value of a Result that cannot fail here; throws (a bug) when it did. `what` names the expectation. */
export function expectOk<T, E>(result: Result<T, E>, what: string): T {
  if (result.ok) return result.value;
  throw new Error(`${what}: ${JSON.stringify(result.error)}`);
}
