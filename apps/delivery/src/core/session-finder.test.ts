import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SessionFinder } from './session-finder.ts';
import type { ViewerSession } from './viewer-session.ts';

/** What the finder looks at of a session. */
function sessionOf(number: number, viewerHash: string, isHomeless: boolean): ViewerSession {
  const profile = { viewerHash, country: undefined, device: 'desktop', player: 'other' };
  const mintedAtMs = isHomeless ? undefined : 1;
  return { id: `ses_${number}`, streamId: 'str_1', mintedAtMs, profile } as unknown as ViewerSession;
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), hash: fc.constantFrom('a', 'b'), isHomeless: fc.boolean() }),
  fc.record({ kind: fc.constant('remove' as const), index: fc.nat(50) }),
  fc.record({ kind: fc.constant('bind' as const), index: fc.nat(50), player: fc.constantFrom('p', 'q', 'r', 's') }),
);

it('of a viewer with many sessions it finds the latest without a player, and one that only reports tell of', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const finder = new SessionFinder();
      const sessions: ViewerSession[] = [];
      const playerOf = new Map<ViewerSession, string>();
      steps.forEach((each, number) => {
        const chosen = each.kind === 'add' ? undefined : sessions[each.index % Math.max(1, sessions.length)];
        if (each.kind === 'add') {
          const session = sessionOf(number, each.hash, each.isHomeless);
          sessions.push(session);
          finder.add(session);
        } else if (chosen !== undefined && each.kind === 'bind') {
          finder.bind(chosen, each.player);
          playerOf.set(chosen, each.player);
        } else if (chosen !== undefined) {
          finder.remove(chosen);
          sessions.splice(sessions.indexOf(chosen), 1);
          playerOf.delete(chosen);
        }
        for (const hash of ['a', 'b']) {
          const own = sessions.filter(({ profile }) => profile.viewerHash === hash);
          expect(finder.allOf('str_1', hash)).toEqual(own);
          expect(finder.unboundOf('str_1', hash)).toBe(own.filter((one) => !playerOf.has(one)).at(-1));
          const homeless = own.filter((one) => one.mintedAtMs === undefined && playerOf.has(one));
          const found = finder.homelessOf('str_1', hash);
          if (homeless.length === 0) expect(found).toBeUndefined();
          else expect(homeless.map((session) => ({ session, player: playerOf.get(session) }))).toContainEqual(found);
        }
      });
    }),
    { numRuns: 60 },
  );
});
