/** Lists that are read page by page: the first page is asked for again and again, the others once, when the user wants them. */
import { useState } from 'react';
import type { ApiError } from '../api/api-error.ts';
import type { Answer } from '../api/caller.ts';
import { type PageOf, pagedItems } from './paged-items.ts';
import { useAction } from './use-call.ts';

export interface MoreItems<T> {
  /** The first page, then what later ones brought: see `pagedItems`. */
  readonly items: readonly T[];
  readonly next: string | null;
  readonly busy: boolean;
  readonly error: ApiError | undefined;
  readonly loadMore: () => Promise<void>;
  /** What was told since of an item behind the first page; undefined: it is gone. */
  readonly put: (id: string, item: T | undefined) => void;
}

/** `load` asks for the page at a cursor; `idOf` tells items apart. */
export function useMore<T>(
  first: PageOf<T> | undefined,
  idOf: (item: T) => string,
  load: (cursor: string) => Answer<PageOf<T>>,
): MoreItems<T> {
  const [more, setMore] = useState<PageOf<T> | undefined>();
  const { busy, error, run } = useAction();
  const whole = first?.next_cursor === null;
  const next = whole || more === undefined ? (first?.next_cursor ?? null) : more.next_cursor;
  const items = pagedItems(first, more?.items ?? [], idOf);
  const loadMore = async () => {
    if (next === null) return;
    const page = await run(() => load(next));
    if (page === undefined) return;
    const known = new Set(items.map(idOf));
    setMore({ ...page, items: [...items, ...page.items.filter((item) => !known.has(idOf(item)))] });
  };
  const put = (id: string, item: T | undefined) =>
    setMore((before) => {
      if (before === undefined) return before;
      const items = before.items.flatMap((one) => (idOf(one) === id ? (item ?? []) : one));
      return { ...before, items };
    });
  return { items, next, busy, error, loadMore, put };
}

/** The button below such a list, while there is more. */
export function MoreButton({ more }: { readonly more: Pick<MoreItems<unknown>, 'next' | 'busy' | 'loadMore'> }) {
  if (more.next === null) return null;
  return (
    <button type="button" className="button" disabled={more.busy} onClick={() => void more.loadMore()}>
      Show more
    </button>
  );
}
