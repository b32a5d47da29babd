/** Joining videos to a new one, and what was joined before. */
import '../styles/media.css';
import '../styles/compose.css';
import { useEffect, useRef, useState } from 'react';
import { useAction } from '../pages/use-call.ts';
import { ErrorNotice } from '../parts/notice.tsx';
import { navigate } from '../routing/router.tsx';
import type { Video } from '../videos/video-resources.ts';
import { bodyOf, type ComposeDraft, emptyDraft, formatTime, obstacle, totalMs } from './compose-draft.ts';
import { useCompositionCalls } from './composition-calls.ts';
import { CompositionList } from './composition-list.tsx';
import { JoinSettings } from './join-settings.tsx';
import { Sequence } from './sequence.tsx';
import { VideoPicker } from './video-picker.tsx';

/** Kept while the tab is open: who looks up a video on the way finds it again. */
let kept = emptyDraft;
let keys = 0;

export function ComposePage() {
  const calls = useCompositionCalls();
  const { busy, error, run } = useAction();
  const [draft, setDraft] = useState(kept);
  const wish = useRef({ body: '', key: '' });
  useEffect(() => {
    kept = draft;
  }, [draft]);
  const picked = new Map<string, number>();
  for (const { videoId } of draft.items) picked.set(videoId, (picked.get(videoId) ?? 0) + 1);
  const total = totalMs(draft);
  const inTheWay = obstacle(draft);
  const join = async () => {
    const body = bodyOf(draft);
    const text = JSON.stringify(body);
    // The same wish sent again is the same composition.
    if (wish.current.body !== text) wish.current = { body: text, key: freshKey() };
    const made = await run(() => calls.create(body, wish.current.key));
    if (made === undefined) return;
    kept = emptyDraft;
    navigate({ kind: 'composition', compositionId: made.composition_id });
  };
  return (
    <>
      <div className="page-head">
        <h1>Compose</h1>
      </div>
      <div className="columns">
        <section className="card stack" aria-labelledby="sequence-heading">
          <div className="section-line">
            <h2 id="sequence-heading">Join in this order</h2>
            {draft.items.length > 0 && total !== undefined && <span className="hint">{formatTime(total)} in all</span>}
          </div>
          {draft.items.length === 0 ? (
            <p className="sequence-empty">
              Pick at least two of your videos: they are joined in the order in which they stand here.
            </p>
          ) : (
            <Sequence items={draft.items} onChange={(items) => setDraft({ ...draft, items })} />
          )}
          {draft.items.length > 0 && <JoinSettings draft={draft} onChange={setDraft} />}
          <ErrorNotice error={error} />
          {draft.items.length > 0 && (
            <div className="actions">
              <button
                type="button"
                className="button button-primary"
                disabled={busy || inTheWay !== undefined}
                aria-describedby="join-obstacle"
                onClick={() => void join()}
              >
                Join {draft.items.length > 1 ? `${draft.items.length} videos` : ''}
              </button>
              <button type="button" className="button button-quiet" onClick={() => setDraft(emptyDraft)}>
                Clear
              </button>
            </div>
          )}
          <p className="hint" id="join-obstacle">
            {draft.items.length > 0 ? (inTheWay ?? '') : ''}
          </p>
        </section>
        <VideoPicker picked={picked} onPick={(video) => setDraft(withVideo(draft, video))} />
      </div>
      <CompositionList />
    </>
  );
}

function withVideo(draft: ComposeDraft, video: Video): ComposeDraft {
  const item = {
    key: `item-${keys++}`,
    videoId: video.video_id,
    title: video.title,
    posterUrl: video.playback?.poster_url ?? null,
    locked: video.visibility === 'private',
    durationMs: video.media?.duration_ms ?? 0,
    ...{ start: '', end: '' },
  };
  return { ...draft, items: [...draft.items, item] };
}

function freshKey(): string {
  // Only in a secure context, which a page of the LAN is not.
  return crypto.randomUUID?.() ?? `compose-${Date.now()}-${Math.random().toString(36).slice(2)}`;
}
