/** The studio: everything but the watch page. */
import './styles/studio.css';
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { HubProvider } from './hub/hub-context.tsx';
import type { FreshKey } from './pages/fresh-key.ts';
import { NewStreamPage } from './pages/new-stream-page.tsx';
import { NotFoundPage } from './pages/not-found-page.tsx';
import { SignInPage } from './pages/sign-in-page.tsx';
import { StreamPage } from './pages/stream-page.tsx';
import { StreamsPage } from './pages/streams-page.tsx';
import { TokensPage } from './pages/tokens-page.tsx';
import { Brand } from './parts/brand.tsx';
import { HubNotice } from './parts/hub-notice.tsx';
import { lastHour } from './routing/analytics-view.ts';
import { Link, navigate, useRoute } from './routing/router.tsx';
import { StudioProvider, useStudio } from './session/context.tsx';
import { SessionStore } from './session/stored-session.ts';

export function mountStudio(root: HTMLElement): void {
  const store = new SessionStore(localStorage);
  window.addEventListener('storage', () => store.reload());
  createRoot(root).render(
    <StudioProvider store={store}>
      <HubProvider>
        <Pages />
      </HubProvider>
    </StudioProvider>,
  );
}

/** With the code that draws charts: no other page needs it. */
const AnalyticsPage = lazy(async () => {
  const { AnalyticsPage: page } = await import('./analytics/analytics-page.tsx');
  return { default: page };
});

function Pages() {
  const route = useRoute();
  const { session } = useStudio();
  const [freshKey, setFreshKey] = useState<FreshKey | undefined>(undefined);
  if (route.kind === 'watch') {
    // The watch page has its own bundle and starts before React does.
    location.reload();
    return null;
  }
  if (route.kind === 'sign-in' || session === undefined) return <SignInPage />;
  switch (route.kind) {
    case 'streams':
      return (
        <Shell>
          <StreamsPage />
        </Shell>
      );
    case 'new-stream':
      return (
        <Shell>
          <NewStreamPage onCreated={setFreshKey} />
        </Shell>
      );
    case 'stream':
      return (
        <Shell>
          <StreamPage
            key={route.streamId}
            streamId={route.streamId}
            freshKey={freshKey?.streamId === route.streamId ? freshKey.key : undefined}
            onFreshKey={(key) => setFreshKey(key && { streamId: route.streamId, key })}
          />
        </Shell>
      );
    case 'analytics':
      return (
        <Shell>
          <Suspense fallback={<p role="status">Loading…</p>}>
            <AnalyticsPage view={route.view} />
          </Suspense>
        </Shell>
      );
    case 'tokens':
      return (
        <Shell>
          <TokensPage />
        </Shell>
      );
    case 'not-found':
      return (
        <Shell>
          <NotFoundPage />
        </Shell>
      );
  }
}

/** The pages that are not about streams. */
const besides: ReadonlySet<string> = new Set(['tokens', 'analytics']);

function Shell({ children }: { readonly children: ReactNode }) {
  const { session, store } = useStudio();
  const route = useRoute();
  useEffect(() => {
    // A new page is read from its top by screen readers and the keyboard.
    document.getElementById('page')?.focus({ preventScroll: true });
  }, [route.kind]);
  return (
    <>
      <a className="skip-link" href="#page">
        Skip to content
      </a>
      <header className="top">
        <Link to={{ kind: 'streams' }} className="top-brand">
          <Brand />
        </Link>
        <nav aria-label="Pages">
          <Link to={{ kind: 'streams' }} aria-current={besides.has(route.kind) ? undefined : 'page'}>
            Streams
          </Link>
          <Link
            to={{ kind: 'analytics', view: lastHour }}
            aria-current={route.kind === 'analytics' ? 'page' : undefined}
          >
            Analytics
          </Link>
          {session?.role === 'admin' && (
            <Link to={{ kind: 'tokens' }} aria-current={route.kind === 'tokens' ? 'page' : undefined}>
              API tokens
            </Link>
          )}
        </nav>
        <HubNotice />
        <button
          type="button"
          className="button button-quiet"
          onClick={() => {
            store.signOut('signed-out');
            navigate({ kind: 'sign-in' });
          }}
        >
          Sign out
        </button>
      </header>
      <main id="page" className="page" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}
