/** The API client and session of the studio, for its pages. */
import { createContext, type ReactNode, useContext, useMemo } from 'react';
import { type ApiClient, createApiClient } from '../api/client.ts';
import { type Session, type SessionStore, useSession } from './stored-session.ts';

export interface Studio {
  readonly api: ApiClient;
  readonly store: SessionStore;
  readonly session: Session | undefined;
}

const StudioContext = createContext<Studio | undefined>(undefined);

export function StudioProvider({ store, children }: { readonly store: SessionStore; readonly children: ReactNode }) {
  const session = useSession(store);
  const api = useMemo(
    () =>
      createApiClient({
        fetch: (url, init) => fetch(url, init),
        token: () => store.session?.token,
        onSignedOut: () => store.signOut('expired'),
      }),
    [store],
  );
  const studio = useMemo(() => ({ api, store, session }), [api, store, session]);
  return <StudioContext value={studio}>{children}</StudioContext>;
}

export function useStudio(): Studio {
  const studio = useContext(StudioContext);
  if (studio === undefined) throw new Error('useStudio outside StudioProvider');
  return studio;
}
