/** What the log is told of an import, in the words of jobs: the hub shows it like one. */
import { type NewRecord, record } from '@millrace/eventlog';
import { type JobFact, jobsTopic } from '@millrace/events';
import type { ImportProgress } from './import-rows.ts';
import type { VideoRecord } from './video.ts';

type Importing = Pick<VideoRecord, 'videoId' | 'ownerId'>;

function common({ videoId, ownerId }: Importing, nowMs: number) {
  const jobId = `imp_${videoId.replace(/^vid_/, '')}`;
  return { job_id: jobId, owner_id: ownerId, kind: 'import' as const, subject: videoId, at_ms: nowMs };
}

export function importQueued(video: Importing, nowMs: number): NewRecord<JobFact> {
  return record(jobsTopic, { ...common(video, nowMs), type: 'JobQueued' });
}

/** `attempt` counts the tries from 1; `rate`: bytes a second since its begin. */
export function importMoved(
  video: Importing,
  attempt: number,
  { receivedBytes, totalBytes }: ImportProgress,
  rate: number,
  nowMs: number,
): NewRecord<JobFact> {
  const known = totalBytes !== undefined && totalBytes > 0;
  const left = known && rate > 0 ? Math.round(((totalBytes - receivedBytes) / rate) * 1_000) : undefined;
  return record(jobsTopic, {
    ...common(video, nowMs),
    ...{ type: 'JobProgressed', attempt, phase: 'fetching the file' },
    progress: known ? Math.min(100, Math.floor((receivedBytes / totalBytes) * 1_000) / 10) : 0,
    ...(left === undefined ? {} : { eta_ms: Math.max(0, left) }),
    bytes: { received: receivedBytes, total: totalBytes ?? null },
  });
}

/** `reason` undefined: the original is here. */
export function importEnded(video: Importing, reason: string | undefined, nowMs: number): NewRecord<JobFact> {
  const at = common(video, nowMs);
  return record(
    jobsTopic,
    reason === undefined ? { ...at, type: 'JobCompleted' } : { ...at, type: 'JobFailed', reason },
  );
}

/** Its video was deleted. */
export function importCancelled(video: Importing, nowMs: number): NewRecord<JobFact> {
  return record(jobsTopic, { ...common(video, nowMs), type: 'JobCancelled' });
}
