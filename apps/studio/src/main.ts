/**
 * The first script of every page, kept small. On the watch page it starts the API call and the player and shows the
 * picture before React is there: running React's code takes as long as all of the player's loading. The hub comes after
 * the picture. The page of a video has no such hurry. Every other page loads the studio.
 */
import './styles/tokens.css';
import './styles/base.css';
import './styles/picture.css';
import './styles/watch.css';
import { parseRoute } from './routing/routes.ts';
import { beginWatch } from './watch/begin.ts';

async function boot(): Promise<void> {
  const root = document.getElementById('root');
  if (root === null) throw new Error('index.html has no #root');
  const route = parseRoute(location.pathname, location.search);
  if (route.kind === 'watch') {
    const visit = beginWatch(route);
    showPicture(root, visit.video);
    await visit.pictureOrWords;
    const { mountWatchPage } = await import('./watch/watch-page.tsx');
    mountWatchPage(root, visit);
    await visit.settled;
    // What plays goes on without it.
    const following = await import('./watch/stream-following.ts').catch(() => undefined);
    following?.followStream(visit);
  } else if (route.kind === 'watch-video') {
    const { mountWatchVideoPage } = await import('./vod/watch-video-page.tsx');
    mountWatchVideoPage(root, route);
  } else {
    const { mountStudio } = await import('./studio.tsx');
    mountStudio(root);
  }
}

/** The stage as the watch page draws it, with nothing on it but the video. React puts its own in the place of it. */
function showPicture(root: HTMLElement, video: HTMLVideoElement): void {
  const nested = ['watch', '', 'stage'].map((name) => {
    const element = document.createElement(name === '' ? 'main' : 'div');
    element.className = name;
    return element;
  });
  nested.reduce((outer, inner) => {
    outer.append(inner);
    return inner;
  }, root);
  nested[2]?.append(video);
}

boot().catch((error: unknown) => {
  reportError(error);
  const root = document.getElementById('root');
  // Typical after an upgrade of the server: the old page names scripts that are gone.
  if (root)
    root.textContent = 'The page could not be loaded. Reload it; if that does not help, the server may be down.';
});
