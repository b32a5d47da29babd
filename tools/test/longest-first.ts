/**
 * Begins with the test files that take longest, so that none of them is left to run alone at the end. Vitest knows how long files
 * took only where it ran before; on a fresh clone it begins with the largest ones, which are not the longest.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Longest first, by the end of their path: those above ten seconds on two cores. Others follow in vitest's order. */
export const longest = [
  'e2e/test/operating.test.ts',
  'studio/test/media.test.ts',
  'studio/test/watch.test.ts',
  'e2e/test/separate-processes.test.ts',
  'e2e/test/videos.test.ts',
  'postgres/src/embedded.test.ts',
  'inbound/fact-sink.test.ts',
  'e2e/test/viewer.test.ts',
  'kafka/faults.test.ts',
  'studio/test/studio.test.ts',
  'e2e/test/compositions.test.ts',
  'kafka/kafka-faults.test.ts',
  'jobs/join-task.test.ts',
  'studio/test/analytics.test.ts',
  'postgres/postgres-event-log.test.ts',
  'boundaries/boundaries.test.ts',
  'ingest/test/publish.test.ts',
  'e2e/test/sources.test.ts',
  'clickhouse/src/killed-owner.test.ts',
  'postgres/postgres-faults.test.ts',
  'jobs/processing.test.ts',
  'kafka/kafka-event-log.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const index = longest.findIndex((end) => moduleId.endsWith(`/${end}`));
      return index < 0 ? longest.length : index;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}
