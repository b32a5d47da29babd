import { type Epoch, newId } from '@millrace/ids';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { transition } from './publish-session.ts';
import { type Broadcast, onAirOf, type PublishSignal, type PublishState } from './publish-state.ts';

const streamId = newId('str');
const ownerId = newId('own');
const keys = [newId('key'), newId('key')] as const;
const broadcastOf = (key: 0 | 1 = 0): Broadcast => ({
  streamId,
  ownerId,
  keyId: keys[key],
  publishId: newId('pub'),
  latencyMode: 'low',
  encoder: undefined,
});
const epoch = (value: number) => value as Epoch;

/** Runs signals from `connecting` on; returns the last state and the kinds of all effects. */
function run(...signals: readonly PublishSignal[]) {
  let state: PublishState = { kind: 'connecting' };
  const effects: string[] = [];
  for (const signal of signals) {
    const step = transition(state, signal);
    state = step.state;
    for (const effect of step.effects) effects.push(effect.kind === 'record' ? effect.what : effect.kind);
  }
  return { state, effects };
}
const granted = (publisher: number, key: 0 | 1 = 0): PublishSignal => ({
  kind: 'granted',
  publisher,
  broadcast: broadcastOf(key),
});
const media = (publisher: number, at = publisher): PublishSignal => ({ kind: 'media', publisher, epoch: epoch(at) });
const lost = (publisher: number): PublishSignal => ({ kind: 'lost', publisher, reason: 'closed' });

describe('a broadcast', () => {
  it('is published with its first media, not with its key', () => {
    expect(run(granted(1)).effects).toEqual(['start-publisher']);
    expect(run(granted(1), media(1)).effects).toEqual(['start-publisher', 'open-source', 'published']);
  });

  it('that never had media leaves no fact behind', () => {
    expect(run(granted(1), lost(1))).toEqual({
      state: { kind: 'ended', reason: 'nothing-published' },
      effects: ['start-publisher'],
    });
  });

  it('waits for its encoder in the window and ends when it has passed', () => {
    const { state, effects } = run(granted(1), media(1), lost(1), { kind: 'window-passed' });
    expect(state).toEqual({ kind: 'ended', reason: 'reconnect-window-passed' });
    expect(effects.slice(3)).toEqual([
      'interrupt-source',
      'open-window',
      'interrupted',
      'close-window',
      'end-source',
      'ended',
    ]);
  });

  it('resumes for the same key: the old source is superseded when the new media comes', () => {
    const { state, effects } = run(granted(1), media(1), lost(1), granted(2), media(2));
    expect(state).toMatchObject({ kind: 'live', publisher: 2, epoch: 2 });
    expect(effects.slice(6)).toEqual(['close-window', 'start-publisher', 'end-source', 'open-source', 'resumed']);
  });

  it('is taken over by the same key at once, and what the old connection says afterwards changes nothing', () => {
    const { state, effects } = run(
      granted(1),
      media(1),
      granted(2),
      media(2),
      lost(1),
      { kind: 'finished', publisher: 1 },
      media(1),
    );
    expect(state).toMatchObject({ kind: 'live', publisher: 2 });
    expect(effects.slice(3)).toEqual([
      'disconnect-publisher',
      'start-publisher',
      'end-source',
      'open-source',
      'resumed',
    ]);
  });

  it('refuses another key while it is live, and gives way to it in the window as a broadcast of its own', () => {
    expect(run(granted(1), media(1), granted(2, 1)).effects.slice(3)).toEqual(['refuse-publisher']);
    const { effects } = run(granted(1), media(1), lost(1), granted(2, 1), media(2));
    expect(effects.slice(6)).toEqual([
      'close-window',
      'end-source',
      'ended',
      'start-publisher',
      'open-source',
      'published',
    ]);
  });

  it('ends when its own key is revoked and goes on when another is', () => {
    expect(run(granted(1), media(1), { kind: 'key-revoked', keyId: keys[1] }).state.kind).toBe('live');
    const { state, effects } = run(granted(1), media(1), { kind: 'key-revoked', keyId: keys[0] });
    expect(state).toEqual({ kind: 'ended', reason: 'key-revoked' });
    expect(effects.slice(3)).toEqual(['end-source', 'ended', 'disconnect-publisher']);
  });

  it('gives way to a higher epoch of another ingest only, counting its reassignments', () => {
    const reassigned: PublishSignal = { kind: 'reassigned', epoch: epoch(10) };
    expect(run(granted(1), media(1), reassigned, { kind: 'superseded', epoch: epoch(10) }).state.kind).toBe('live');
    expect(run(granted(1), media(1), reassigned, { kind: 'superseded', epoch: epoch(11) }).state.kind).toBe('ended');
  });

  it('keeps its books in any order of signals: each source opened is ended once, each start has one end', () => {
    const signal: fc.Arbitrary<PublishSignal> = fc.oneof(
      fc.record({
        kind: fc.constant('granted' as const),
        publisher: fc.integer({ min: 1, max: 4 }),
        broadcast: fc.constantFrom(broadcastOf(0), broadcastOf(1)),
      }),
      fc.record({
        kind: fc.constant('media' as const),
        publisher: fc.integer({ min: 1, max: 4 }),
        epoch: fc.integer({ min: 1, max: 9 }).map(epoch),
      }),
      fc.record({
        kind: fc.constant('lost' as const),
        publisher: fc.integer({ min: 1, max: 4 }),
        reason: fc.constant('closed' as const),
      }),
      fc.record({ kind: fc.constant('finished' as const), publisher: fc.integer({ min: 1, max: 4 }) }),
      fc.constant({ kind: 'window-passed' as const }),
      fc.record({ kind: fc.constant('reassigned' as const), epoch: fc.integer({ min: 1, max: 9 }).map(epoch) }),
      fc.record({ kind: fc.constant('superseded' as const), epoch: fc.integer({ min: 1, max: 9 }).map(epoch) }),
    );
    fc.assert(
      fc.property(fc.array(signal, { maxLength: 40, size: 'max' }), (signals) => {
        const { state, effects } = run(...signals, { kind: 'draining' });
        expect(state.kind).toBe('ended');
        const count = (kind: string) => effects.filter((effect) => effect === kind).length;
        expect(count('end-source')).toBe(count('open-source'));
        expect(count('published')).toBe(count('ended'));
        expect(count('open-window')).toBe(count('close-window'));
        expect(onAirOf(state)).toBeUndefined();
      }),
    );
  });
});
