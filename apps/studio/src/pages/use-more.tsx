/** Lists that are read page by page: the first page is asked for again and again, the others once, when the user wants them. */
import { useState } from 'react';
import type { ApiError } from '../api/api-error.ts';
import type { Answer } from '../api/caller.ts';
import { useAction } from './use-call.ts';

export interface PageOf<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

export interface MoreItems<T> {
  /** The first page, then what later ones brought besides: an item that moved onto the first page is there once. */
  readonly items: readonly T[];
  readonly next: string | null;
  readonly busy: boolean;
  readonly error: ApiError | undefined;
  readonly loadMore: () => Promise<void>;
}

/** `load` asks for the page at a cursor; `idOf` tells items apart. */
export function useMore<T>(
  first: PageOf<T> | undefined,
  idOf: (item: T) => string,
  load: (cursor: string) => Answer<PageOf<T>>,
): MoreItems<T> {
  const [more, setMore] = useState<PageOf<T> | undefined>();
  const { busy, error, run } = useAction();
  const next = more === undefined ? (first?.next_cursor ?? null) : more.next_cursor;
  const known = new Set(first?.items.map(idOf));
  const items = [...(first?.items ?? []), ...(more?.items ?? []).filter((item) => !known.has(idOf(item)))];
  const loadMore = async () => {
    if (next === null) return;
    const page = await run(() => load(next));
    if (page) setMore({ items: [...(more?.items ?? []), ...page.items], next_cursor: page.next_cursor });
  };
  return { items, next, busy, error, loadMore };
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
