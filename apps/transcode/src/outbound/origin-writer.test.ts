import { ManualClock } from '@millrace/clock/testing';
import { rankOrigins } from '@millrace/handover';
import {
  anAssignment,
  anOpenWindow,
  aPart,
  createRecordingWriter,
  type RecordingWriter,
} from '@millrace/handover/testing';
import { silentLogger } from '@millrace/log';
import { err, expectOk } from '@millrace/result';
import { describe, expect, it } from 'vitest';
import { type OriginChoice, OriginWriter } from './origin-writer.ts';

const { streamId } = anAssignment();
const unavailable = { kind: 'unavailable', message: 'connection refused' } as const;
const names = ['http://a', 'http://b', 'http://c'];

function threeOrigins() {
  const clock = new ManualClock();
  const windows = new Map(names.map((name) => [name, createRecordingWriter(7)]));
  const choices: OriginChoice[] = [];
  const aWriter = () =>
    new OriginWriter({
      origins: windows,
      patienceMs: 1_000,
      clock,
      log: silentLogger,
      onChosen: (choice) => void choices.push(choice),
    });
  const [first, second, third] = rankOrigins(streamId, names).map((name) => windows.get(name)) as [
    RecordingWriter,
    RecordingWriter,
    RecordingWriter,
  ];
  return { clock, windows, choices, aWriter, writer: aWriter(), first, second, third };
}

const part = (epoch: number, index: number) =>
  aPart(streamId, epoch, { rendition: 'video', segment: 7, part: index, index });

describe('writing to several origins', () => {
  it('opens at the first choice and stays there', async () => {
    const { writer, first, second, third, choices } = threeOrigins();
    expectOk(await writer.open(anOpenWindow(streamId, 10)), 'open');
    expectOk(await writer.part(part(10, 0)), 'part');
    expect([first, second, third].map(({ parts }) => parts.length)).toEqual([1, 0, 0]);
    expect(choices).toEqual(['first']);
  });

  it('takes the next origin when the first is away, and then goes on there though the first is back', async () => {
    const { writer, aWriter, first, second, choices } = threeOrigins();
    first.refuseWith(unavailable);
    expectOk(await writer.open(anOpenWindow(streamId, 10)), 'open');
    expectOk(await writer.part(part(10, 0)), 'part');
    first.refuseWith(undefined);
    const state = expectOk(await aWriter().open(anOpenWindow(streamId, 11)), 'another worker takes over');
    expect(state.renditions[0]?.next).toEqual({ segment: 7, part: 1 });
    expect(second.opens).toHaveLength(2);
    expect(choices).toEqual(['next', 'standing']);
  });

  it('gives an epoch up once its origin was away for the patience, and the next epoch opens elsewhere', async () => {
    const { writer, clock, first, second } = threeOrigins();
    expectOk(await writer.open(anOpenWindow(streamId, 10)), 'open');
    first.refuseWith(unavailable);
    expect(await writer.part(part(10, 0))).toEqual(err(unavailable));
    await clock.advance(900);
    expect(await writer.part(part(10, 0))).toEqual(err(unavailable));
    await clock.advance(100);
    expect(await writer.part(part(10, 0))).toMatchObject({ error: { kind: 'not-open' } });
    expectOk(await writer.open(anOpenWindow(streamId, 11)), 'open');
    expectOk(await writer.part(part(11, 0)), 'part');
    expect(await writer.part(part(10, 1))).toMatchObject({ error: { kind: 'not-open' } });
    expect(second.parts).toHaveLength(1);
  });

  it('is patient anew after an answer in between', async () => {
    const { writer, clock, first } = threeOrigins();
    expectOk(await writer.open(anOpenWindow(streamId, 10)), 'open');
    first.refuseWith(unavailable);
    await writer.part(part(10, 0));
    await clock.advance(900);
    first.refuseWith(undefined);
    expectOk(await writer.part(part(10, 0)), 'part');
    first.refuseWith(unavailable);
    await clock.advance(900);
    expect(await writer.part(part(10, 1))).toEqual(err(unavailable));
  });

  it('refuses a writer whose epoch is behind that of any origin', async () => {
    const { writer, aWriter, first } = threeOrigins();
    first.refuseWith(unavailable);
    expectOk(await writer.open(anOpenWindow(streamId, 12)), 'open at the second');
    first.refuseWith(undefined);
    expect(await aWriter().open(anOpenWindow(streamId, 11))).toEqual(err({ kind: 'stale-epoch', current: 12 }));
    expect(first.opens).toHaveLength(0);
  });

  it('ends a window that was left behind, so that nobody waits for its next part', async () => {
    const { writer, clock, first, second } = threeOrigins();
    expectOk(await writer.open(anOpenWindow(streamId, 10)), 'open');
    first.refuseWith(unavailable);
    expectOk(await writer.open(anOpenWindow(streamId, 11)), 'open at the second');
    first.refuseWith(undefined);
    expectOk(await writer.open(anOpenWindow(streamId, 12)), 'open where it stands');
    await clock.advance(0);
    expect(first.ended).toEqual([streamId]);
    expect(second.ended).toEqual([]);
    expect(second.opens.map(({ epoch }) => epoch)).toEqual([11, 12]);
  });

  it('goes live within half a second though an origin never answers', async () => {
    const { clock, windows, first } = threeOrigins();
    const silent = { ...first, standing: () => new Promise<never>(() => {}) };
    const [name = ''] = rankOrigins(streamId, names);
    const writer = new OriginWriter({
      origins: new Map([...windows, [name, silent]]),
      patienceMs: 1_000,
      clock,
      log: silentLogger,
    });
    const opening = writer.open(anOpenWindow(streamId, 10));
    await clock.advance(500);
    expectOk(await opening, 'open');
    expect(first.opens).toHaveLength(0);
  });

  it('says that no origin answers when none does, and with one origin keeps trying', async () => {
    const { writer, windows, clock, first } = threeOrigins();
    for (const window of windows.values()) window.refuseWith(unavailable);
    expect(await writer.open(anOpenWindow(streamId, 10))).toEqual(err(unavailable));
    const alone = new OriginWriter({ origins: new Map([['a', first]]), patienceMs: 0, clock, log: silentLogger });
    first.refuseWith(undefined);
    expectOk(await alone.open(anOpenWindow(streamId, 10)), 'open');
    first.refuseWith(unavailable);
    expect(await alone.part(part(10, 0))).toEqual(err(unavailable));
    await clock.advance(60_000);
    expect(await alone.part(part(10, 0))).toEqual(err(unavailable));
  });
});
