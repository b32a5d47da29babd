import type { MediaTag } from '@millrace/flv';
import type { SourceAssignment, SourceDesk, SourceEnd, SourceLink } from '../source-port.ts';

/** What a recording worker saw of one source. */
export interface RecordedSource {
  readonly assignment: SourceAssignment;
  readonly link: SourceLink;
  /** Tags, and the words between them, in order. */
  readonly seen: (MediaTag | 'interrupted' | SourceEnd)[];
  /** What `tag` answers; set it to false to be behind. */
  ready: boolean;
  /** Thrown by the next `tag` call. */
  failure: Error | undefined;
}

/** A worker that keeps what it is given and does nothing with it. */
export interface RecordingWorker {
  readonly sources: RecordedSource[];
  readonly accept: Parameters<SourceDesk['park']>[0]['accept'];
}

/** Makes one; pass `accept` to `SourceDesk.park`. */
export function createRecordingWorker(): RecordingWorker {
  const sources: RecordedSource[] = [];
  return {
    sources,
    accept(assignment, link) {
      const source: RecordedSource = { assignment, link, seen: [], ready: true, failure: undefined };
      sources.push(source);
      return {
        tag(tag) {
          if (source.failure) throw source.failure;
          source.seen.push(tag);
          return source.ready;
        },
        interrupted: () => void source.seen.push('interrupted'),
        end: (reason) => void source.seen.push(reason),
      };
    },
  };
}
