import { err, ok, type Result } from '@millrace/result';

declare const epochBrand: unique symbol;
/**
 * The fence of a live source: an integer that only rises for one stream. Ingest mints it from the wall clock in ms,
 * never at or below the last one it saw; delivery refuses a write with a lower one.
 */
export type Epoch = number & { readonly [epochBrand]: true };

/** The next epoch after `last` (undefined: none seen): the wall clock, or `last + 1` when the clock went back. */
export function nextEpoch(nowMs: number, last: Epoch | undefined): Epoch {
  return Math.max(Math.trunc(nowMs), (last ?? 0) + 1) as Epoch;
}

/** Parses a decimal epoch as it stands in paths and JSON. */
export function parseEpoch(text: string | number): Result<Epoch, { kind: 'bad-epoch'; message: string }> {
  const value = typeof text === 'number' ? text : /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value > 0) return ok(value as Epoch);
  return err({ kind: 'bad-epoch', message: `expected a positive integer epoch, got "${String(text).slice(0, 40)}"` });
}
