import type { StreamId } from '@millrace/ids';
import { expectOk } from '@millrace/result';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LiveWindowOrigin, LiveWindowWriter, PartWrite, RenditionPosition } from '../window-port.ts';
import { anOpenWindow, aPart, audioPartTicks, videoPartTicks } from './window-samples.ts';

/** One writer under test. */
export interface WindowWriterHarness extends AsyncDisposable {
  readonly writer: LiveWindowOrigin;
  /** A stream that the window behind it knows. */
  readonly streamId: StreamId;
  /** The bytes the window holds for a part, when the harness can look; compared with what was written. */
  readonly takenBytes?: (write: PartWrite) => Uint8Array | undefined;
}

/** What every writer to a live window must do. Run by the adapters and by delivery's own window. */
export function defineWindowWriterContract(name: string, openHarness: () => Promise<WindowWriterHarness>): void {
  describe(`${name}: the port between transcode and delivery`, () => {
    let harness: WindowWriterHarness;
    beforeEach(async () => {
      harness = await openHarness();
    });
    afterEach(() => harness[Symbol.asyncDispose]());

    const open = async (epoch: number, change: Parameters<typeof anOpenWindow>[2] = {}) =>
      expectOk(await harness.writer.open(anOpenWindow(harness.streamId, epoch, change)), 'open');
    const positionOf = (renditions: readonly RenditionPosition[], wanted: string): RenditionPosition => {
      const position = renditions.find((rendition) => rendition.name === wanted);
      if (position === undefined) throw new Error(`expected a rendition "${wanted}"`);
      return position;
    };
    const part = (
      epoch: number,
      rendition: 'video' | 'audio',
      place: readonly [segment: number, part: number, index: number],
      change: Partial<PartWrite> = {},
    ) => {
      const [segment, index] = [place[0], place[2]];
      return aPart(harness.streamId, epoch, { rendition, segment, part: place[1], index }, change);
    };
    const take = async (write: PartWrite) => expectOk(await harness.writer.part(write), `part ${write.part}`);
    const refusal = async (result: Promise<Awaited<ReturnType<LiveWindowWriter['part' | 'end' | 'open']>>>) => {
      const answer = await result;
      if (answer.ok) throw new Error('expected a refusal');
      return answer.error;
    };

    it('opens empty, with the settings asked for and a place for each rendition', async () => {
      const state = await open(10);
      expect(state.fresh).toBe(true);
      expect(state.settings).toEqual({ targetDurationS: 2, partTargetS: 0.216, partDurationMs: 200 });
      expect(state.renditions.map(({ name }) => name)).toEqual(['video', 'audio']);
      for (const { next, nextDts, segments } of state.renditions) {
        expect({ part: next.part, nextDts, segments }).toEqual({ part: 0, nextDts: undefined, segments: [] });
      }
      expect(state.renditions[0]?.next.segment).toBe(state.renditions[1]?.next.segment);
    });

    it('takes the parts of both renditions side by side and tells a successor where each ends', async () => {
      const n = positionOf((await open(10)).renditions, 'video').next.segment;
      const writes = [
        part(10, 'video', [n, 0, 0]),
        part(10, 'audio', [n, 0, 0]),
        part(10, 'video', [n, 1, 1]),
        part(10, 'video', [n, 2, 2], { last: true }),
        part(10, 'audio', [n, 1, 1], { last: true }),
        part(10, 'video', [n + 1, 0, 3]),
      ];
      for (const write of writes) await take(write);
      const state = await open(11);
      expect(state.fresh).toBe(false);
      expect(state.renditions).toEqual([
        {
          name: 'video',
          next: { segment: n + 1, part: 1 },
          nextDts: 4 * videoPartTicks,
          segments: [
            { segment: n, startDts: 0, complete: true },
            { segment: n + 1, startDts: 3 * videoPartTicks, complete: false },
          ],
        },
        {
          name: 'audio',
          next: { segment: n + 1, part: 0 },
          nextDts: 2 * audioPartTicks,
          segments: [{ segment: n, startDts: 0, complete: true }],
        },
      ]);
      for (const write of harness.takenBytes ? writes : []) {
        expect(Buffer.from(harness.takenBytes?.(write) ?? [])).toEqual(Buffer.concat(write.bytes));
      }
    });

    it('refuses a part it has and a part too far, and says which it expects', async () => {
      const n = positionOf((await open(10)).renditions, 'video').next.segment;
      const first = part(10, 'video', [n, 0, 0]);
      await take(first);
      const expected = { kind: 'unexpected-part', expected: { segment: n, part: 1 } };
      expect(await refusal(harness.writer.part(first))).toEqual(expected);
      expect(await refusal(harness.writer.part(part(10, 'video', [n, 2, 2])))).toEqual(expected);
      expect(await refusal(harness.writer.part(part(10, 'video', [n + 1, 0, 1])))).toEqual(expected);
      await take(part(10, 'video', [n, 1, 1]));
    });

    it('fences a writer as soon as a higher epoch has opened', async () => {
      const n = positionOf((await open(10)).renditions, 'video').next.segment;
      await take(part(10, 'video', [n, 0, 0]));
      await open(12);
      const stale = { kind: 'stale-epoch', current: 12 };
      const { writer, streamId } = harness;
      expect(await refusal(writer.part(part(10, 'video', [n, 1, 1])))).toEqual(stale);
      expect(await refusal(writer.open(anOpenWindow(streamId, 11)))).toEqual(stale);
      expect(await refusal(writer.end({ streamId, epoch: anOpenWindow(streamId, 10).epoch }))).toEqual(stale);
      await take(part(12, 'video', [n, 1, 1]));
    });

    it('takes nothing before an open, nor for a rendition that was not opened', async () => {
      expect(await refusal(harness.writer.part(part(10, 'video', [0, 0, 0])))).toMatchObject({ kind: 'not-open' });
      const n = positionOf((await open(10)).renditions, 'video').next.segment;
      expect(await refusal(harness.writer.part(part(11, 'video', [n, 0, 0])))).toMatchObject({ kind: 'not-open' });
      const unknown = part(10, 'video', [n, 0, 0], { rendition: 'video-low' });
      expect(await refusal(harness.writer.part(unknown))).toMatchObject({ kind: 'bad-part' });
    });

    it('starts a new publish in a new segment of both renditions, with the settings of before', async () => {
      const n = positionOf((await open(10)).renditions, 'video').next.segment;
      await take(part(10, 'video', [n, 0, 0]));
      const asked = anOpenWindow(harness.streamId, 11, { publish: 2, variant: 1 });
      const settings = { targetDurationS: 4, partTargetS: 0.36, partDurationMs: 333 };
      const state = expectOk(await harness.writer.open({ ...asked, settings }), 'open');
      expect(state.settings).toEqual({ targetDurationS: 2, partTargetS: 0.216, partDurationMs: 200 });
      expect(state.fresh).toBe(true);
      const places = state.renditions.map(({ next, nextDts }) => ({ ...next, nextDts }));
      expect(places).toEqual([
        { segment: n + 1, part: 0, nextDts: undefined },
        { segment: n + 1, part: 0, nextDts: undefined },
      ]);
      await take(part(11, 'video', [n + 1, 0, 0], { discontinuity: true }));
    });

    it('says where a stream stands: nowhere, live or ended, and by which epoch', async () => {
      const { writer, streamId } = harness;
      expect(expectOk(await writer.standing(streamId), 'standing')).toEqual({ kind: 'none' });
      await open(10);
      await open(12);
      expect(expectOk(await writer.standing(streamId), 'standing')).toEqual({ kind: 'live', epoch: 12 });
      expectOk(await writer.end({ streamId, epoch: anOpenWindow(streamId, 13).epoch }), 'end');
      expect(expectOk(await writer.standing(streamId), 'standing')).toEqual({ kind: 'ended', epoch: 13 });
    });

    it('ends once and for all: parts are refused, and only a higher epoch begins anew', async () => {
      const n = positionOf((await open(10)).renditions, 'video').next.segment;
      await take(part(10, 'video', [n, 0, 0]));
      const { writer, streamId } = harness;
      const { epoch } = anOpenWindow(streamId, 10);
      expectOk(await writer.end({ streamId, epoch }), 'end');
      expectOk(await writer.end({ streamId, epoch }), 'end again');
      expect(await refusal(writer.part(part(10, 'video', [n, 1, 1])))).toMatchObject({ kind: 'not-open' });
      expect(await refusal(writer.open(anOpenWindow(streamId, 10)))).toMatchObject({ kind: 'not-open' });
      expect((await open(11, { publish: 2 })).fresh).toBe(true);
    });
  });
}
