/** The pages of the studio and their addresses. Pure: parse(href(route)) = route. */

import { assertNever } from '@millrace/result';
import { type AnalyticsView, parseAnalyticsView, queryOfAnalyticsView } from './analytics-view.ts';
import { type ImagesView, parseImagesView, parseVideosView, queryOfView, type VideosView } from './media-view.ts';

export type Route =
  | { readonly kind: 'sign-in' }
  | { readonly kind: 'streams' }
  | { readonly kind: 'new-stream' }
  | { readonly kind: 'stream'; readonly streamId: string }
  | { readonly kind: 'tokens' }
  | { readonly kind: 'analytics'; readonly view: AnalyticsView }
  | { readonly kind: 'videos'; readonly view: VideosView }
  | { readonly kind: 'video'; readonly videoId: string }
  | { readonly kind: 'compose' }
  | { readonly kind: 'composition'; readonly compositionId: string }
  | { readonly kind: 'images'; readonly view: ImagesView }
  | { readonly kind: 'image'; readonly name: string }
  | { readonly kind: 'watch'; readonly playbackId: string; readonly token?: string }
  /** The public page of a video. */
  | { readonly kind: 'watch-video'; readonly playbackId: string; readonly token?: string }
  | { readonly kind: 'not-found'; readonly path: string };

/** The page at a path and query such as `/watch/abc` and `?token=x`. */
export function parseRoute(path: string, query = ''): Route {
  const [first, second, ...rest] = path
    .split('/')
    .filter((part) => part !== '')
    .map(decode);
  const notFound: Route = { kind: 'not-found', path };
  if (rest.length > 0) return notFound;
  if (first === undefined) return { kind: 'streams' };
  if (second === undefined) {
    if (first === 'sign-in') return { kind: 'sign-in' };
    if (first === 'tokens') return { kind: 'tokens' };
    if (first === 'streams') return { kind: 'streams' };
    if (first === 'analytics') return { kind: 'analytics', view: parseAnalyticsView(query) };
    if (first === 'videos') return { kind: 'videos', view: parseVideosView(query) };
    if (first === 'compose') return { kind: 'compose' };
    if (first === 'images') return { kind: 'images', view: parseImagesView(query) };
    const name = first === 'image' ? new URLSearchParams(query).get('name') : null;
    return name ? { kind: 'image', name } : notFound;
  }
  if (first === 'videos') return { kind: 'video', videoId: second };
  if (first === 'compose') return { kind: 'composition', compositionId: second };
  if (first === 'streams') return second === 'new' ? { kind: 'new-stream' } : { kind: 'stream', streamId: second };
  if (first === 'watch' || first === 'v') {
    const token = new URLSearchParams(query).get('token');
    return { kind: first === 'v' ? 'watch-video' : 'watch', playbackId: second, ...(token ? { token } : {}) };
  }
  return notFound;
}

/** The address of a page. */
export function hrefOf(route: Route): string {
  switch (route.kind) {
    case 'sign-in':
      return '/sign-in';
    case 'streams':
      return '/';
    case 'new-stream':
      return '/streams/new';
    case 'stream':
      return `/streams/${encodeURIComponent(route.streamId)}`;
    case 'tokens':
      return '/tokens';
    case 'analytics':
      return `/analytics${queryOfAnalyticsView(route.view)}`;
    case 'videos':
      return `/videos${queryOfView(route.view)}`;
    case 'video':
      return `/videos/${encodeURIComponent(route.videoId)}`;
    case 'compose':
      return '/compose';
    case 'composition':
      return `/compose/${encodeURIComponent(route.compositionId)}`;
    case 'images':
      return `/images${queryOfView(route.view)}`;
    case 'image':
      // Not in the path: a name that ends as files do would be looked for among the files.
      return `/image?name=${encodeURIComponent(route.name)}`;
    case 'watch':
    case 'watch-video': {
      const query = route.token === undefined ? '' : `?token=${encodeURIComponent(route.token)}`;
      return `/${route.kind === 'watch' ? 'watch' : 'v'}/${encodeURIComponent(route.playbackId)}${query}`;
    }
    case 'not-found':
      return route.path;
    default:
      return assertNever(route);
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
