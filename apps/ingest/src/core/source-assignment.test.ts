import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AssignmentSignal, type AssignmentState, assign } from './source-assignment.ts';

function run(...kinds: readonly (AssignmentSignal['kind'] | 'superseded')[]) {
  let state: AssignmentState = { kind: 'empty' };
  const effects: string[] = [];
  for (const kind of kinds) {
    const signal: AssignmentSignal =
      kind === 'superseded' || kind === 'ended' ? { kind: 'ended', reason: kind } : { kind };
    const step = assign(state, signal);
    state = step.state;
    effects.push(...step.effects.map((effect) => (effect.kind === 'end-claim' ? `end-${effect.reason}` : effect.kind)));
  }
  return { state, effects };
}

describe('the assignment of a source', () => {
  it('waits for media, then for a worker, and is offered when one parks', () => {
    expect(run('worker-parked').effects).toEqual([]);
    expect(run('media', 'no-worker', 'worker-parked', 'taken').effects).toEqual(['offer', 'offer']);
  });

  it('is offered again at once when its worker is lost', () => {
    expect(run('media', 'taken', 'lost').effects).toEqual(['offer', 'offer']);
  });

  it('lost while its encoder is away tells the next worker so', () => {
    expect(run('media', 'taken', 'interrupted', 'lost', 'taken').effects).toEqual([
      'offer',
      'tell-interrupted',
      'offer',
      'tell-interrupted',
    ]);
  });

  it('that was on air and ends without a worker waits for one to close its playlists, but not for ever', () => {
    expect(run('media', 'taken', 'lost', 'ended', 'worker-parked', 'taken').effects.slice(2)).toEqual([
      'linger',
      'offer',
      'end-ended',
      'close',
    ]);
    expect(run('media', 'taken', 'lost', 'ended', 'linger-passed').effects.slice(2)).toEqual(['linger', 'close']);
    expect(run('media', 'no-worker', 'ended').effects).toEqual(['offer', 'close']);
    expect(run('media', 'taken', 'lost', 'superseded').effects.slice(2)).toEqual(['close']);
  });

  it('closes once and is silent afterwards, in any order', () => {
    const kind = fc.constantFrom<AssignmentSignal['kind'] | 'superseded'>(
      'media',
      'worker-parked',
      'taken',
      'no-worker',
      'lost',
      'interrupted',
      'ended',
      'superseded',
      'linger-passed',
    );
    fc.assert(
      fc.property(fc.array(kind, { maxLength: 30 }), (kinds) => {
        const { state, effects } = run(...kinds, 'ended', 'linger-passed');
        expect(state.kind).toBe('over');
        expect(effects.filter((effect) => effect === 'close')).toHaveLength(1);
        expect(effects.at(-1)).toBe('close');
      }),
    );
  });
});
