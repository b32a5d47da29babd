/** A delivery that is killed while it counts viewers, and its next start on the same disk. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ViewerFact, viewerSessionsTopic } from '@millrace/events';
import { describe, expect, it } from 'vitest';
import { openDeliveryKit } from '../test/delivery-kit.ts';
import { Player } from '../test/player.ts';
import { SyntheticBroadcast } from '../test/synthetic-broadcast.ts';

describe('a viewer whose delivery is killed', () => {
  it('gets his end after its next start, though nobody heard him again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'viewer-crash-'));
    const [before, after] = [join(folder, 'before'), join(folder, 'after')];
    try {
      let sessionId: string | undefined;
      {
        await using kit = await openDeliveryKit({}, { journalDir: before });
        const { playbackId, streamId } = await kit.define();
        const broadcast = new SyntheticBroadcast(kit.service.writer, { streamId });
        await broadcast.start();
        await broadcast.parts(12);
        const { video = '' } = await new Player(kit.origin, playbackId).renditions();
        sessionId = /\/s\/([^/]+)\//.exec(video)?.[1];
        await fetch(video);
        await kit.clock.advance(3_000);
        await cp(before, after, { recursive: true }); // the disk as kill -9 leaves it
      }
      await using kit = await openDeliveryKit({}, { journalDir: after });
      const said: ViewerFact[] = [];
      await kit.eventLog.follow({
        topic: viewerSessionsTopic,
        from: 'earliest',
        onRecord: ({ value }) => value !== undefined && said.push(value),
      });
      await expect
        .poll(() => said)
        .toEqual([expect.objectContaining({ type: 'ViewerLeft', reason: 'evicted', session_id: sessionId })]);
      expect(said[0]).toMatchObject({ instance_id: 'delivery-1', counted_ms: 3_000 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
