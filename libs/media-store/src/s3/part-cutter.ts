/**
 * Cuts bytes, as they come, into parts of one size, the last one shorter: what an upload in parts takes. There is always at least
 * one, which may be empty. Each part is a copy, so its source may reuse its buffers.
 */
export async function* cutParts(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  partBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array[] = [];
  let size = 0;
  let isFirst = true;
  for await (const piece of pieces) {
    for (let from = 0; from < piece.byteLength; ) {
      // A part that is full goes only when more comes, so that the last one is never empty.
      if (size === partBytes) {
        yield Buffer.concat(held, size);
        [held, size, isFirst] = [[], 0, false];
      }
      // A copy: `slice` of a Buffer would be none.
      const some = new Uint8Array(piece.subarray(from, from + partBytes - size));
      held.push(some);
      size += some.byteLength;
      from += some.byteLength;
    }
  }
  if (size > 0 || isFirst) yield Buffer.concat(held, size);
}
