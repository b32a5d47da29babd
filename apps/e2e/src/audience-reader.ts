/** The audience of streams as any reader of the log knows it: the sum of what living instances count. */
import { systemClock as clock } from '@millrace/clock';
import { openPostgresEventLog } from '@millrace/eventlog';
import { audienceTopic, instancesTopic } from '@millrace/events';
import { silentLogger as log } from '@millrace/log';

export interface AudienceReader extends AsyncDisposable {
  viewers(streamId: string): number;
  /** Viewers by instance, dead ones included. */
  counts(streamId: string): Readonly<Record<string, number>>;
}

/** An instance that was silent for this long watches nobody any more, ms. */
const aliveMs = 6_000;

/** Follows the log of the database at `url`. */
export async function openAudienceReader(url: string): Promise<AudienceReader> {
  const eventLog = await openPostgresEventLog({ url, source: 'audience-reader', log, clock });
  const audience = eventLog.table(audienceTopic);
  const instances = eventLog.table(instancesTopic);
  const ofStream = (streamId: string) =>
    [...audience.entries()].map(([, count]) => count).filter((count) => count.stream_id === streamId);
  return {
    viewers: (streamId) =>
      ofStream(streamId)
        .filter(({ instance_id, incarnation }) => {
          const seen = instances.get(instance_id);
          return seen?.incarnation === incarnation && clock.nowMs() - seen.at_ms < aliveMs;
        })
        .reduce((sum, { viewers }) => sum + viewers, 0),
    counts: (streamId) =>
      Object.fromEntries(ofStream(streamId).map(({ instance_id, viewers }) => [instance_id, viewers])),
    async [Symbol.asyncDispose]() {
      await audience[Symbol.asyncDispose]();
      await instances[Symbol.asyncDispose]();
      await eventLog[Symbol.asyncDispose]();
    },
  };
}
