/** A list that is read page by page, while it changes. Pure. */

export interface PageOf<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

/**
 * The first page as it is now, then what was shown behind it. `shown` are all items that were shown, in the list's order: one that was on
 * the first page and is not any more was deleted, unless it came behind all that still are; then newer ones have pushed it out.
 */
export function pagedItems<T>(
  first: PageOf<T> | undefined,
  shown: readonly T[],
  idOf: (item: T) => string,
): readonly T[] {
  if (first === undefined) return shown;
  if (first.next_cursor === null) return first.items;
  const now = new Set(first.items.map(idOf));
  const last = shown.map((item) => now.has(idOf(item))).lastIndexOf(true);
  return [...first.items, ...shown.slice(last + 1)];
}
