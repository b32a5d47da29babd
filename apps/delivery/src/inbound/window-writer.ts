import type { LiveWindowOrigin, OpenWindow, PartWrite, WindowState, WriteRefusal } from '@millrace/handover';
import { err, ok, type Result } from '@millrace/result';
import type { LiveStreams } from '../core/live-streams.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import type { StreamDirectory } from './stream-directory.ts';

export interface WindowWriterDeps {
  readonly streams: LiveStreams;
  readonly directory: Pick<StreamDirectory, 'wasDeleted'>;
  readonly metrics: DeliveryMetrics;
}

/**
 * The writer's door to the live windows. A stream that the table does not know may still be on its way in the log (ingest
 * has admitted its key), so only one that was deleted is refused.
 */
export function createWindowWriter(deps: WindowWriterDeps): LiveWindowOrigin {
  const { streams, directory, metrics } = deps;
  const counted = <T>(result: Result<T, WriteRefusal>): Promise<Result<T, WriteRefusal>> => {
    if (!result.ok) metrics.refusals.inc({ reason: result.error.kind });
    return Promise.resolve(result);
  };
  return {
    open(window: OpenWindow): Promise<Result<WindowState, WriteRefusal>> {
      if (directory.wasDeleted(window.streamId)) {
        return counted(err({ kind: 'unknown-stream', message: `stream ${window.streamId} was deleted` }));
      }
      return counted(streams.open(window));
    },
    standing: (streamId) => Promise.resolve(ok(streams.standing(streamId))),
    part(write: PartWrite): Promise<Result<void, WriteRefusal>> {
      const taken = streams.part(write);
      const kind = streams.window(write.streamId)?.track(write.rendition)?.spec.kind;
      if (taken.ok && kind !== undefined) {
        metrics.parts.inc({ kind });
        metrics.mediaBytesIn.inc(
          { kind },
          write.bytes.reduce((sum, slice) => sum + slice.byteLength, 0),
        );
      }
      return counted(taken);
    },
    end({ streamId, epoch }): Promise<Result<void, WriteRefusal>> {
      const wasLive = streams.window(streamId)?.ended === false;
      const ended = streams.end(streamId, epoch);
      if (ended.ok && wasLive) metrics.windowsEnded.inc({ reason: 'writer' });
      return counted(ended);
    },
  };
}
