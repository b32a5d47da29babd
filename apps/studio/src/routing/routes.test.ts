import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hrefOf, parseRoute, type Route } from './routes.ts';

const id = fc.string({ minLength: 1 }).filter((s) => s !== 'new' && s !== '.' && s !== '..');
const anyRoute: fc.Arbitrary<Route> = fc.oneof(
  fc.constantFrom<Route>({ kind: 'sign-in' }, { kind: 'streams' }, { kind: 'new-stream' }, { kind: 'tokens' }),
  id.map((streamId) => ({ kind: 'stream' as const, streamId })),
  id.map((playbackId) => ({ kind: 'watch' as const, playbackId })),
  fc.tuple(id, id).map(([playbackId, token]) => ({ kind: 'watch' as const, playbackId, token })),
);

describe('addresses of pages', () => {
  it('lead back to the page they were made from', () => {
    fc.assert(
      fc.property(anyRoute, (route) => {
        const url = new URL(hrefOf(route), 'http://host');
        expect(parseRoute(url.pathname, url.search)).toEqual(route);
      }),
    );
  });

  it('never fail to be read', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (path, query) => void parseRoute(path, query)));
    expect(parseRoute('/streams/%E0%A4')).toEqual({ kind: 'stream', streamId: '%E0%A4' });
  });

  it('of no page are told as such', () => {
    expect(parseRoute('/nothing')).toEqual({ kind: 'not-found', path: '/nothing' });
    expect(parseRoute('/streams/a/b')).toMatchObject({ kind: 'not-found' });
    expect(parseRoute('/watch')).toMatchObject({ kind: 'not-found' });
    expect(parseRoute('/streams/')).toEqual({ kind: 'streams' });
  });
});
