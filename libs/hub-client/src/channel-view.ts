import type { HubChange, HubJob, HubStream } from '@millrace/api';
import { assertNever } from '@millrace/result';

/** What a channel shows, by id. */
export interface ChannelView {
  readonly streams: ReadonlyMap<string, HubStream>;
  readonly jobs: ReadonlyMap<string, HubJob>;
}

export const emptyView: ChannelView = { streams: new Map(), jobs: new Map() };

/** The view that a snapshot gives. */
export function viewOfSnapshot(snapshot: {
  readonly streams?: readonly HubStream[] | undefined;
  readonly jobs?: readonly HubJob[] | undefined;
}): ChannelView {
  return {
    streams: new Map((snapshot.streams ?? []).map((stream) => [stream.stream_id, stream])),
    jobs: new Map((snapshot.jobs ?? []).map((job) => [job.job_id, job])),
  };
}

/** The view after some changes; `view` itself stays as it is, and is returned when nothing changed. */
export function foldChanges(view: ChannelView, changes: readonly HubChange[]): ChannelView {
  let streams: Map<string, HubStream> | undefined;
  let jobs: Map<string, HubJob> | undefined;
  const known = (id: string) => (streams ?? view.streams).get(id);
  for (const change of changes) {
    switch (change.kind) {
      case 'stream':
        (streams ??= new Map(view.streams)).set(change.stream.stream_id, change.stream);
        break;
      case 'stream-removed':
        if (known(change.stream_id)) (streams ??= new Map(view.streams)).delete(change.stream_id);
        break;
      case 'counted': {
        const stream = known(change.stream_id);
        if (stream === undefined || stream.viewers === change.viewers) break;
        (streams ??= new Map(view.streams)).set(change.stream_id, { ...stream, viewers: change.viewers });
        break;
      }
      case 'measured': {
        const stream = known(change.stream_id);
        if (stream) (streams ??= new Map(view.streams)).set(change.stream_id, { ...stream, health: change.health });
        break;
      }
      case 'job':
        (jobs ??= new Map(view.jobs)).set(change.job.job_id, change.job);
        break;
      default:
        assertNever(change);
    }
  }
  return streams === undefined && jobs === undefined
    ? view
    : { streams: streams ?? view.streams, jobs: jobs ?? view.jobs };
}
