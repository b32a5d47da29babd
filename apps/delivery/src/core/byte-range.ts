/** What a Range header asks of a body of `size` bytes (RFC 9110 14.2). */
export type RangeRequest =
  /** No range, or one that is answered with the whole body: other units, several ranges, nonsense. */
  | { readonly kind: 'whole' }
  /** Inclusive offsets. */
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  /** 416 */
  | { readonly kind: 'unsatisfiable' };

/** Reads a Range header against a body size. */
export function readRange(header: string | undefined, size: number): RangeRequest {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return { kind: 'whole' };
  if (first === '') {
    const start = Math.max(0, size - Number(last));
    return Number(last) === 0 || size === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', start, end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return { kind: 'whole' };
  return start >= size ? { kind: 'unsatisfiable' } : { kind: 'part', start, end };
}

/** The bytes `start` to `end`, inclusive, of a body in slices, without a copy. */
export function cutSlices(slices: readonly Uint8Array[], start: number, end: number): readonly Uint8Array[] {
  const cut: Uint8Array[] = [];
  let offset = 0;
  for (const slice of slices) {
    const from = Math.max(0, start - offset);
    const to = Math.min(slice.byteLength, end + 1 - offset);
    if (from < to) cut.push(slice.subarray(from, to));
    offset += slice.byteLength;
  }
  return cut;
}
