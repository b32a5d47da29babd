/** Calls of /api/v1/compositions. */
import { useMemo } from 'react';
import type { Caller } from '../api/caller.ts';
import { useStudio } from '../session/context.tsx';
import type { CompositionBody } from './compose-draft.ts';
import { readComposition, readCompositionPage } from './composition-resources.ts';

export type CompositionCalls = ReturnType<typeof compositionCalls>;

function compositionCalls({ call }: Caller) {
  const one = (id: string) => `/compositions/${encodeURIComponent(id)}`;
  return {
    list: (cursor?: string, signal?: AbortSignal) => {
      const query = new URLSearchParams({ limit: '20', ...(cursor === undefined ? {} : { cursor }) });
      return call({ path: `/compositions?${query}`, read: readCompositionPage, signal });
    },
    get: (id: string, signal?: AbortSignal) => call({ path: one(id), read: readComposition, signal }),
    create: (body: CompositionBody, idempotencyKey: string) =>
      call({ method: 'POST', path: '/compositions', body, idempotencyKey, read: readComposition }),
    cancel: (id: string) => call({ method: 'POST', path: `${one(id)}/cancel`, read: readComposition }),
  };
}

export function useCompositionCalls(): CompositionCalls {
  const { caller } = useStudio().api;
  return useMemo(() => compositionCalls(caller), [caller]);
}
