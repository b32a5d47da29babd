/** The two boards of the hub, and the readings shown beside the states of streams. */
import { foldLiveFact, isHouseWork, type JobFact, type LiveStreamFact, type StreamDefinition } from '@millrace/events';
import { AudienceBook } from './audience-book.ts';
import { Board } from './board.ts';
import { foldJobFact, hasEnded } from './job-record.ts';
import { type JobParts, JobShape, unknownJob } from './job-shape.ts';
import { NewestHealth } from './newest-health.ts';
import { type StreamParts, StreamShape, unknownStream } from './stream-shape.ts';
import type { Place } from './timeline.ts';

/** Topics of the stream board, by their number in positions. */
export const streamTopics = { definitions: 0, facts: 1 } as const;

/** A record without its topic's number. */
export type Spot = Omit<Place, 'topic'>;

const mostHealthStreams = 10_000;
const healthStaleMs = 15_000;
/** Streams without a definition (deleted, or not yet heard of), and ended jobs, that are remembered. */
const spare = 5_000;

export class Boards {
  readonly streams: Board<StreamParts>;
  readonly jobs: Board<JobParts>;
  readonly audience = new AudienceBook();
  readonly health = new NewestHealth(mostHealthStreams, healthStaleMs);
  readonly #streamShape: StreamShape;

  /** `history`: changes kept for clients that return, of each board. */
  constructor(history: number) {
    const { audience, health } = this;
    const readings = {
      viewers: (streamId: string) => audience.viewers(streamId),
      health: (streamId: string, epoch: number) => health.get(streamId, epoch),
    };
    this.#streamShape = new StreamShape(readings, (id) => this.streams.get(id).definition !== undefined);
    this.streams = new Board<StreamParts>({
      ...{ shape: this.#streamShape, empty: unknownStream, topics: 2, history, spare },
      isSpare: ({ definition }) => definition === undefined,
    });
    this.jobs = new Board<JobParts>({
      ...{
        shape: new JobShape((id) => this.jobs.get(id).job !== undefined),
        empty: unknownJob,
        topics: 1,
        history,
        spare,
      },
      isSpare: ({ job }) => job === undefined || hasEnded(job),
    });
  }

  /** A stream was defined, changed or (undefined) deleted. */
  defined(streamId: string, definition: StreamDefinition | undefined, spot: Spot): void {
    const place = { ...spot, topic: streamTopics.definitions };
    const before = this.streams.get(streamId).definition;
    if (before === undefined && definition === undefined) return this.streams.pass(place);
    this.#streamShape.index(streamId, before, definition);
    this.streams.change(streamId, place, { definition });
  }

  /** A fact of a broadcast was read. */
  broadcast(fact: LiveStreamFact, spot: Spot): void {
    const place = { ...spot, topic: streamTopics.facts };
    const before = this.streams.get(fact.stream_id).live;
    const live = foldLiveFact(before, fact, spot.offset);
    if (live === before) this.streams.pass(place);
    else this.streams.change(fact.stream_id, place, { live });
  }

  job(fact: JobFact, spot: Spot): void {
    const place = { ...spot, topic: 0 };
    // by the thousand it would push out what somebody follows
    if (isHouseWork(fact.kind)) return this.jobs.pass(place);
    const before = this.jobs.get(fact.job_id).job;
    const job = foldJobFact(before, fact);
    if (job === before) this.jobs.pass(place);
    else this.jobs.change(fact.job_id, place, { job });
  }
}
