import { z } from 'zod';

/** A page of `item`s named `name`: `next_cursor` is null on the last one. */
export function pageOf<T extends z.ZodType>(name: string, item: T) {
  return z
    .object({
      items: z.array(item),
      next_cursor: z.string().nullable().meta({ description: 'Give it as `cursor` to get the next page; null: none.' }),
    })
    .meta({ id: name });
}

/** Query of every list: how many, and where to go on. */
export const pageQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20).meta({ description: 'Items a page.' }),
  cursor: z
    .string()
    .regex(/^a[0-9a-z_]{4,40}$/, 'a next_cursor of an earlier page')
    .optional()
    .meta({ description: '`next_cursor` of the page before.' }),
});

/** A page as TypeScript sees it. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

/** A point in time, RFC 3339 in UTC. */
export const timeSchema = z.iso.datetime().meta({ example: '2026-01-02T03:04:05.678Z' });
