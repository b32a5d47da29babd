/** Takes a composition on: its row, its job and the ids of the video that will come of it, in one transaction. */
import { type IdSource, newId } from '@millrace/ids';
import { err, ok, type Result } from '@millrace/result';
import type { ComposeRequest } from './compose-request.ts';
import { type CompositionItem, type CompositionRecord, newComposition } from './composition.ts';
import { type CheckedItem, type CompositionFault, checkComposition, type Transition } from './composition-check.ts';
import type { JobDesk, JobSummary, Priority } from './job-desk.ts';
import type { Transaction } from './store.ts';
import { type NoVideoRoom, takeVideoRoom } from './video-room.ts';

export interface CompositionWish {
  readonly ownerId: string;
  readonly title: string | undefined;
  readonly items: readonly CompositionItem[];
  readonly transition: Transition;
  readonly target: ComposeRequest['target'];
  readonly evenLoudness: boolean;
  readonly priority: Priority;
  /** Most videos of the owner. */
  readonly mostVideos: number;
}

export type CompositionRefusal =
  | { readonly kind: 'faults'; readonly faults: readonly CompositionFault[] }
  | { readonly kind: 'quota'; readonly limit: number; readonly active: number }
  | NoVideoRoom;

export interface TakenComposition {
  readonly composition: CompositionRecord;
  readonly job: JobSummary;
}

/** `confined`: the owner whose videos alone may be taken; undefined: anybody's. What may not be taken is unknown. */
export async function submitComposition(
  tx: Transaction,
  { desk, idSource }: { readonly desk: Pick<JobDesk, 'submit'>; readonly idSource: IdSource },
  wish: CompositionWish,
  confined: string | undefined,
  nowMs: number,
): Promise<Result<TakenComposition, CompositionRefusal>> {
  const [found, room] = await Promise.all([
    tx.videos.getMany([...new Set(wish.items.map((item) => item.videoId))]),
    takeVideoRoom(tx, wish.ownerId, wish.mostVideos),
  ]);
  const reachable = found.filter((video) => confined === undefined || video.ownerId === confined);
  const videos = new Map(reachable.map((video) => [video.videoId, video]));
  const checked = checkComposition(wish.items, videos, wish.transition);
  if (!checked.ok) return err({ kind: 'faults', faults: checked.error });

  if (!room.ok) return room;
  const jobId = newId('job', idSource);
  const compositionId = newId('cmp', idSource);
  const title = wish.title ?? `Composition of ${wish.items.length} videos`;
  const { ownerId, items } = wish;
  const composition = newComposition({ compositionId, ownerId, title, items, taskId: jobId }, nowMs);
  const submitting = desk.submit(tx, {
    ...{ jobId, kind: 'compose' as const, subject: compositionId, ownerId },
    ...{ priority: wish.priority, force: false },
    request: requestOf(wish, checked.value, { title, compositionId, jobId }, idSource),
  });
  // Sent with the job: nobody but this transaction knows of it yet, and a refusal undoes both.
  const [submitted] = await Promise.all([submitting, tx.compositions.insert(composition)]);
  switch (submitted.kind) {
    case 'accepted':
      return ok({ composition, job: submitted.job });
    case 'quota':
      return err(submitted);
    case 'conflict':
      throw new Error(`composition ${compositionId}: expected a new id to have no job, got ${submitted.active.jobId}`);
  }
}

function requestOf(
  wish: CompositionWish,
  checked: readonly CheckedItem[],
  made: { readonly title: string; readonly compositionId: string; readonly jobId: string },
  idSource: IdSource,
): ComposeRequest {
  const videoId = newId('vid', idSource);
  return {
    ...{ composition_id: made.compositionId, owner_id: wish.ownerId, title: made.title },
    // joining must not show to everybody what one of the inputs does not
    visibility: checked.some(({ video }) => video.visibility === 'private') ? 'private' : 'public',
    ...{ video_id: videoId, playback_id: newId('play', idSource) },
    ...{ asset: `videos/${videoId}/${newId('ast', idSource)}`, output: `videos/${videoId}/source` },
    work: `work/${made.jobId}`,
    inputs: checked.map(({ item, source, video }) => ({ video_id: item.videoId, source, trim: trimOf(item, video) })),
    transition: { kind: wish.transition.kind, duration_ms: wish.transition.durationMs },
    ...{ target: wish.target, even_loudness: wish.evenLoudness },
  };
}

/** Null where it takes everything: then nothing is cut, not even to whole ms. */
function trimOf({ startMs, endMs }: CompositionItem, { media }: CheckedItem['video']) {
  const durationMs = media?.duration_ms ?? 0;
  const trim = { start_ms: startMs ?? 0, end_ms: endMs ?? durationMs };
  return trim.start_ms === 0 && trim.end_ms === durationMs ? null : trim;
}
