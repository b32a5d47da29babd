import type { Epoch, PublishId, StreamId } from '@millrace/ids';
import type { SourceAssignment } from '../source-port.ts';

/** An assignment for tests; `change` overrides single fields. */
export function anAssignment(change: Partial<SourceAssignment> = {}): SourceAssignment {
  return {
    streamId: 'str_01jd0000000000000000000001' as StreamId,
    epoch: 1_700_000_000_001 as Epoch,
    publishId: 'pub_01jd0000000000000000000001' as PublishId,
    latencyMode: 'low',
    originWallMs: 1_700_000_000_000,
    originTimestampMs: 0,
    firstTimestampMs: 0,
    ...change,
  };
}
