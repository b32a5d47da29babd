/**
 * Where to cut long speech for a recogniser that takes pieces: at the quietest moment of the last part of each piece, so that no word is
 * cut in two.
 */

/** A piece of mono samples, `end` exclusive. */
export interface Piece {
  readonly start: number;
  readonly end: number;
}

/**
 * Pieces of at most `most` samples that together are all `total` samples. `loudness(start, end)` is asked for windows of `window`
 * samples in the last `search` samples of each piece.
 */
export function piecesOf(
  total: number,
  { most, search, window }: { readonly most: number; readonly search: number; readonly window: number },
  loudness: (start: number, end: number) => number,
): readonly Piece[] {
  const pieces: Piece[] = [];
  let start = 0;
  while (total - start > most) {
    let cut = start + most;
    let quietest = Number.POSITIVE_INFINITY;
    for (let at = start + most - search; at + window <= start + most; at += window) {
      const value = loudness(at, at + window);
      if (value < quietest) {
        quietest = value;
        cut = at + Math.floor(window / 2);
      }
    }
    pieces.push({ start, end: cut });
    start = cut;
  }
  if (total > start) pieces.push({ start, end: total });
  return pieces;
}
