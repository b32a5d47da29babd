import type { TaskResult } from '@millrace/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskOutcome } from './pipeline.ts';
import { type ProcessRequest, stepsToRun } from './process-request.ts';
import { newVideo, type VideoRecord } from './video.ts';
import { assetObjects, type Leftover, runAdvanced, runEnded, runStarted, runSubmitted } from './video-run.ts';

const fresh: VideoRecord = newVideo(
  {
    ...{ videoId: 'vid_1', playbackId: 'play_1', ownerId: 'own_1', title: 'a film', visibility: 'public' },
    ...{ origin: 'upload', sourceState: 'ready', processOnSource: true },
  },
  0,
);

interface Run {
  readonly jobId: string;
  readonly request: ProcessRequest;
  readonly done: Map<string, TaskOutcome>;
  readonly partial: boolean;
}

const spec = { kind: 'publish', asset: 'a', duration_ms: 1, final: false } as const;
const results: readonly TaskResult[] = [
  { kind: 'publish', rungs: [], bytes: 1 },
  { kind: 'poster', poster: 'poster.jpg', storyboard: null, width: 2, height: 2 },
  { kind: 'subtitles', outcome: { kind: 'skipped', reason: 'silence' } },
];

const steps = fc.array(
  fc.record({
    what: fc.constantFrom('submit', 'partial', 'start', 'advance', 'complete', 'fail', 'cancel'),
    /** Which of the results, and which of two jobs that are there after a force. */
    pick: fc.nat(5),
  }),
  { maxLength: 40 },
);

/** Plays steps as the engine would: a forced run is entered while the one before drains, which ends first. */
function play(script: readonly { readonly what: string; readonly pick: number }[]) {
  let video = fresh;
  let nowMs = 0;
  let active: Run | undefined;
  let draining: Run | undefined;
  const removed: Leftover[] = [];
  const seen: VideoRecord[] = [];
  const requested: string[] = [];
  const end = (run: Run, status: 'completed' | 'failed' | 'cancelled') => {
    const error = status === 'failed' ? { step: null, code: 'x', reason: 'y' } : undefined;
    const job = { jobId: run.jobId, status, progress: 50, error };
    const folded = runEnded(video, job, run.request, run.done, nowMs);
    video = folded.video;
    removed.push(...folded.leftovers);
  };
  for (const { what, pick } of script) {
    nowMs += 1;
    if (what === 'submit' || what === 'partial') {
      const partial = what === 'partial' && video.playable?.complete === true;
      if (draining !== undefined) end(draining, 'cancelled');
      draining = active;
      const asset = partial ? (video.playable?.asset ?? '') : `videos/vid_1/ast_${nowMs}`;
      const jobId = `job_${nowMs}`;
      const request = { video_id: 'vid_1', source: 's', asset, work: 'w', language: null, steps: null, previous: [] };
      active = { jobId, request, done: new Map(), partial };
      requested.push(asset);
      video = runSubmitted(video, { jobId }, nowMs);
    } else if (draining !== undefined) {
      end(draining, 'cancelled'); // only then the tasks of the next can be leased
      draining = undefined;
    } else if (active !== undefined) {
      if (what === 'start') video = runStarted(video, active, nowMs);
      if (what === 'advance') {
        const finished = { key: `t${pick}`, spec, result: results[pick % results.length] };
        active.done.set(finished.key, finished);
        video = runAdvanced(video, active, active.request, finished, active.done, nowMs);
      }
      if (what === 'complete' || what === 'fail' || what === 'cancel') {
        end(active, what === 'complete' ? 'completed' : what === 'fail' ? 'failed' : 'cancelled');
        active = undefined;
      }
    }
    seen.push(video);
  }
  if (draining !== undefined) end(draining, 'cancelled');
  if (active !== undefined) end(active, 'cancelled');
  return { video, seen, removed, requested };
}

const targets = (leftovers: readonly Leftover[]) =>
  new Set(leftovers.map((one) => ('prefix' in one ? one.prefix : one.key)));

describe('the runs of a video, in any interleaving', () => {
  it('never remove what is played, and leave nothing that is not', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const { video, removed, requested } = play(script);
        const gone = targets(removed);
        for (const asset of new Set(requested)) {
          const played = video.playable?.asset === asset;
          for (const one of targets(assetObjects(asset))) expect(gone.has(one), one).toBe(!played);
        }
        expect(video.playable?.complete ?? true).toBe(true);
      }),
    );
  });

  it('keep something whole playable once there was something whole', () => {
    fc.assert(
      fc.property(steps, (script) => {
        let whole = false;
        for (const video of play(script).seen) {
          if (whole) expect(video.playable?.complete).toBe(true);
          whole ||= video.playable?.complete === true;
        }
      }),
    );
  });

  it('show the state of the newest run only, and never go back in time', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const { seen } = play(script);
        let before = fresh;
        for (const video of seen) {
          expect(video.updatedAtMs).toBeGreaterThanOrEqual(before.updatedAtMs);
          const newRun = video.taskId !== before.taskId;
          if (newRun) expect(video).toMatchObject({ status: 'pending', progress: 0, error: undefined });
          else if (before.status !== 'pending' && before.status !== 'processing') {
            expect(video.status).toBe(before.status);
          }
          before = video;
        }
      }),
    );
  });
});

describe('the steps of a run', () => {
  it('are all of them where there is nothing whole, or where the asset itself is asked for', () => {
    expect(stepsToRun(undefined, true)).toBeNull();
    expect(stepsToRun(['subtitles'], false)).toBeNull();
    for (const step of ['probe', 'audio', 'ladder'] as const) expect(stepsToRun(['poster', step], true)).toBeNull();
  });

  it('are those asked for, once and in order, where the rest can stay', () => {
    expect(stepsToRun(['poster', 'subtitles', 'poster'], true)).toEqual(['subtitles', 'poster']);
  });
});
