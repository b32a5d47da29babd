/**
 * The first script of every page, kept small. On the watch page it starts the API call and the player before React is
 * there; every other page loads the studio.
 */
import './styles/tokens.css';
import './styles/base.css';
import './styles/picture.css';
import { parseRoute } from './routing/routes.ts';
import { beginWatch } from './watch/begin.ts';

async function boot(): Promise<void> {
  const root = document.getElementById('root');
  if (root === null) throw new Error('index.html has no #root');
  const route = parseRoute(location.pathname, location.search);
  if (route.kind === 'watch') {
    const visit = beginWatch(route);
    const { mountWatchPage } = await import('./watch/watch-page.tsx');
    mountWatchPage(root, visit);
  } else {
    const { mountStudio } = await import('./studio.tsx');
    mountStudio(root);
  }
}

boot().catch((error: unknown) => {
  reportError(error);
  const root = document.getElementById('root');
  // Typical after an upgrade of the server: the old page names scripts that are gone.
  if (root)
    root.textContent = 'The page could not be loaded. Reload it; if that does not help, the server may be down.';
});
