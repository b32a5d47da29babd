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
import type { Route } from './routing/routes.ts';
import { StudioProvider, useStudio } from './session/context.tsx';
import { SessionStore } from './session/stored-session.ts';
import { UploadNotice } from './uploads/upload-notice.tsx';
import { UploadsProvider } from './uploads/uploads-context.tsx';

export function mountStudio(root: HTMLElement): void {
  const store = new SessionStore(localStorage);
  window.addEventListener('storage', () => store.reload());
  createRoot(root).render(
    <StudioProvider store={store}>
      <HubProvider>
        <UploadsProvider>
          <Pages />
        </UploadsProvider>
      </HubProvider>
    </StudioProvider>,
  );
}

/** Each with code that no other page needs: charts, the player, uploads. */
const VideosPage = lazy(async () => ({ default: (await import('./videos/videos-page.tsx')).VideosPage }));
const VideoPage = lazy(async () => ({ default: (await import('./videos/video-page.tsx')).VideoPage }));
const ComposePage = lazy(async () => ({ default: (await import('./compose/compose-page.tsx')).ComposePage }));
const CompositionPage = lazy(async () => ({
  default: (await import('./compose/composition-page.tsx')).CompositionPage,
}));
const ImagesPage = lazy(async () => ({ default: (await import('./images/images-page.tsx')).ImagesPage }));
const ImagePage = lazy(async () => ({ default: (await import('./images/image-page.tsx')).ImagePage }));
const AnalyticsPage = lazy(async () => {
  const { AnalyticsPage: page } = await import('./analytics/analytics-page.tsx');
  return { default: page };
});

function Pages() {
  const route = useRoute();
  const { session } = useStudio();
  const [freshKey, setFreshKey] = useState<FreshKey | undefined>(undefined);
  if (route.kind === 'watch' || route.kind === 'watch-video') {
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
          <AnalyticsPage view={route.view} />
        </Shell>
      );
    case 'videos':
      return (
        <Shell>
          <VideosPage view={route.view} />
        </Shell>
      );
    case 'video':
      return (
        <Shell>
          <VideoPage key={route.videoId} videoId={route.videoId} />
        </Shell>
      );
    case 'compose':
      return (
        <Shell>
          <ComposePage />
        </Shell>
      );
    case 'composition':
      return (
        <Shell>
          <CompositionPage key={route.compositionId} compositionId={route.compositionId} />
        </Shell>
      );
    case 'images':
      return (
        <Shell>
          <ImagesPage view={route.view} />
        </Shell>
      );
    case 'image':
      return (
        <Shell>
          <ImagePage key={route.name} name={route.name} />
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

/** Under which entry of the navigation a page belongs. */
const sections = {
  streams: ['streams', 'new-stream', 'stream'],
  videos: ['videos', 'video'],
  compose: ['compose', 'composition'],
  images: ['images', 'image'],
  analytics: ['analytics'],
  tokens: ['tokens'],
} as const satisfies Readonly<Record<string, readonly Route['kind'][]>>;

function Shell({ children }: { readonly children: ReactNode }) {
  const { session, store } = useStudio();
  const route = useRoute();
  const mayMake = session?.role === 'admin' || session?.role === 'broadcaster';
  useEffect(() => {
    // A new page is read from its top by screen readers and the keyboard.
    document.getElementById('page')?.focus({ preventScroll: true });
    // On a phone the navigation is wider than the screen.
    document.querySelector('.top nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
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
          <Entry to={{ kind: 'streams' }} section="streams" words="Streams" />
          <Entry to={{ kind: 'videos', view: {} }} section="videos" words="Videos" />
          {mayMake && <Entry to={{ kind: 'compose' }} section="compose" words="Compose" />}
          {mayMake && <Entry to={{ kind: 'images', view: {} }} section="images" words="Images" />}
          <Entry to={{ kind: 'analytics', view: lastHour }} section="analytics" words="Analytics" />
          {session?.role === 'admin' && <Entry to={{ kind: 'tokens' }} section="tokens" words="API tokens" />}
        </nav>
        <UploadNotice />
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
        <Suspense fallback={<p role="status">Loading…</p>}>{children}</Suspense>
      </main>
    </>
  );
}

interface EntryProps {
  readonly to: Route;
  readonly section: keyof typeof sections;
  readonly words: string;
}

function Entry({ to, section, words }: EntryProps) {
  const kinds: readonly Route['kind'][] = sections[section];
  return (
    <Link to={to} aria-current={kinds.includes(useRoute().kind) ? 'page' : undefined}>
      {words}
    </Link>
  );
}
