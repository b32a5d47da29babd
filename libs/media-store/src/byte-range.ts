import { err, ok, type Result } from '@millrace/result';
import type { ByteRange, StoreFailure } from './media-store.ts';

/** Fits a range to an object of `size` bytes: inclusive offsets within it. Without a range: all of it. */
export function fitRange(
  size: number,
  range: ByteRange | undefined,
): Result<{ readonly start: number; readonly end: number }, StoreFailure> {
  if (range === undefined) return ok({ start: 0, end: size - 1 });
  const end = Math.min(range.end ?? size - 1, size - 1);
  if (range.start < 0 || range.start >= size || range.start > end) return err({ kind: 'bad-range', size });
  return ok({ start: range.start, end });
}
