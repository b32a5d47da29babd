/** The pages of the studio and their addresses. Pure: parse(href(route)) = route. */

import { assertNever } from '@millrace/result';
import { type AnalyticsView, parseAnalyticsView, queryOfAnalyticsView } from './analytics-view.ts';

export type Route =
  | { readonly kind: 'sign-in' }
  | { readonly kind: 'streams' }
  | { readonly kind: 'new-stream' }
  | { readonly kind: 'stream'; readonly streamId: string }
  | { readonly kind: 'tokens' }
  | { readonly kind: 'analytics'; readonly view: AnalyticsView }
  | { readonly kind: 'watch'; readonly playbackId: string; readonly token?: string }
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
    return notFound;
  }
  if (first === 'streams') return second === 'new' ? { kind: 'new-stream' } : { kind: 'stream', streamId: second };
  if (first === 'watch') {
    const token = new URLSearchParams(query).get('token');
    return { kind: 'watch', playbackId: second, ...(token ? { token } : {}) };
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
    case 'watch': {
      const query = route.token === undefined ? '' : `?token=${encodeURIComponent(route.token)}`;
      return `/watch/${encodeURIComponent(route.playbackId)}${query}`;
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
