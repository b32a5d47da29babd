import type { StreamId } from '@millrace/ids';
import { err, ok } from '@millrace/result';
import type { LiveWindowOrigin, OpenWindow, PartWrite, WriteRefusal } from '../window-port.ts';

interface RecordedTrack {
  next: { segment: number; part: number };
  fresh: boolean;
  segments: { segment: number; startDts: number; endDts: number; complete: boolean }[];
}

interface RecordedStream {
  open: OpenWindow;
  ended: boolean;
  tracks: Map<string, RecordedTrack>;
}

/** A window that keeps everything it took. */
export interface RecordingWriter extends LiveWindowOrigin {
  readonly opens: readonly OpenWindow[];
  /** Every part it took, in order. */
  readonly parts: readonly PartWrite[];
  readonly ended: readonly StreamId[];
  /** Answers further calls with this refusal; undefined: works again. */
  refuseWith(refusal: WriteRefusal | undefined): void;
}

/** Makes one. It numbers, fences and refuses as delivery does, and never forgets; the first segment is `firstSegment`. */
export function createRecordingWriter(firstSegment = 0): RecordingWriter {
  const streams = new Map<StreamId, RecordedStream>();
  const opens: OpenWindow[] = [];
  const parts: PartWrite[] = [];
  const ended: StreamId[] = [];
  let refusal: WriteRefusal | undefined;

  const stateOf = ({ open, tracks }: RecordedStream) => ({
    settings: open.settings,
    fresh: [...tracks.values()].every((track) => track.fresh),
    renditions: [...tracks].map(([name, { next, segments }]) => ({
      name,
      next: { ...next },
      nextDts: segments.at(-1)?.endDts,
      segments: segments.slice(-8).map(({ segment, startDts, complete }) => ({ segment, startDts, complete })),
    })),
  });

  const begin = (open: OpenWindow, segment: number): RecordedStream => ({
    open,
    ended: false,
    tracks: new Map(
      open.renditions.map(({ name }) => [name, { next: { segment, part: 0 }, fresh: true, segments: [] }] as const),
    ),
  });

  const continues = (before: OpenWindow, open: OpenWindow) =>
    before.publishId === open.publishId &&
    before.renditions.length === open.renditions.length &&
    before.renditions.every(({ init }, i) => Buffer.compare(init, open.renditions[i]?.init ?? init) === 0);

  return {
    opens,
    parts,
    ended,
    refuseWith(next) {
      refusal = next;
    },
    async open(open) {
      if (refusal) return err(refusal);
      const stream = streams.get(open.streamId);
      if (stream && open.epoch < stream.open.epoch) return err({ kind: 'stale-epoch', current: stream.open.epoch });
      if (stream?.ended && open.epoch === stream.open.epoch) {
        return err({ kind: 'not-open', message: `the broadcast of epoch ${open.epoch} has ended` });
      }
      opens.push(open);
      if (stream && !stream.ended && continues(stream.open, open)) {
        stream.open = { ...open, settings: stream.open.settings };
        return ok(stateOf(stream));
      }
      const places = [...(stream?.tracks.values() ?? [])].map(({ next }) => next.segment + (next.part > 0 ? 1 : 0));
      const settings = stream && !stream.ended ? stream.open.settings : open.settings;
      const fresh = begin({ ...open, settings }, Math.max(firstSegment, ...places));
      streams.set(open.streamId, fresh);
      return ok(stateOf(fresh));
    },
    async standing(streamId) {
      if (refusal) return err(refusal);
      const stream = streams.get(streamId);
      if (!stream) return ok({ kind: 'none' });
      return ok({ kind: stream.ended ? 'ended' : 'live', epoch: stream.open.epoch });
    },
    async part(write) {
      if (refusal) return err(refusal);
      const stream = streams.get(write.streamId);
      if (!stream) return err({ kind: 'not-open', message: `stream ${write.streamId} has no open window` });
      const { open, tracks } = stream;
      if (write.epoch < open.epoch) return err({ kind: 'stale-epoch', current: open.epoch });
      if (stream.ended || write.epoch > open.epoch) {
        return err({ kind: 'not-open', message: `epoch ${write.epoch} has not opened the window` });
      }
      const track = tracks.get(write.rendition);
      if (!track) return err({ kind: 'bad-part', message: `no rendition "${write.rendition}" was opened` });
      if (write.segment !== track.next.segment || write.part !== track.next.part) {
        return err({ kind: 'unexpected-part', expected: { ...track.next } });
      }
      parts.push({ ...write, bytes: write.bytes.map((slice) => slice.slice()) });
      track.fresh = false;
      if (write.part === 0) {
        track.segments.push({ segment: write.segment, startDts: write.dts, endDts: write.dts, complete: false });
      }
      const segment = track.segments.at(-1);
      if (segment) Object.assign(segment, { endDts: write.dts + write.duration, complete: write.last });
      track.next = write.last
        ? { segment: write.segment + 1, part: 0 }
        : { segment: write.segment, part: write.part + 1 };
      return ok();
    },
    async end({ streamId, epoch }) {
      if (refusal) return err(refusal);
      const stream = streams.get(streamId);
      if (!stream) return ok();
      if (epoch < stream.open.epoch) return err({ kind: 'stale-epoch', current: stream.open.epoch });
      if (!stream.ended) ended.push(streamId);
      stream.ended = true;
      stream.open = { ...stream.open, epoch };
      return ok();
    },
  };
}
