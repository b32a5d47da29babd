import type { LeasedTask, ResultOf } from '@millrace/api';

/** A task to probe `videos/{taskId}/source`, for tests. */
export function aProbeTask(taskId: string): Omit<LeasedTask, 'fence'> {
  const limits = { max_duration_ms: 14_400_000, max_pixels: 33_177_600, max_frames_per_second: 120 };
  return {
    task_id: taskId,
    job_id: `job-of-${taskId}`,
    spec: { kind: 'probe', source: `videos/${taskId}/source`, limits },
    inputs: [],
  };
}

/** What a probe found, for tests. */
export function aProbeResult(): ResultOf<'probe'> {
  const media = { container: 'mp4', duration_ms: 4_000, size_bytes: 100_000, video: null, audio: null };
  return { kind: 'probe', media, keyframes_ms: [0, 2_000] };
}
