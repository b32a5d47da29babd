/** What was joined before, and what is being joined. */
import { useCallback, useEffect } from 'react';
import { relativeTime, runningTime } from '../format/numbers.ts';
import { pollMs, useHubChannel } from '../hub/hub-context.tsx';
import { etaWords, isActive, progressWords, statusWords } from '../jobs/live-progress.ts';
import { useLoaded } from '../pages/use-call.ts';
import { MoreButton, useMore } from '../pages/use-more.tsx';
import { Badge } from '../parts/badge.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { Poster } from '../parts/poster.tsx';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { Link } from '../routing/router.tsx';
import { useCompositionCalls } from './composition-calls.ts';
import type { Composition } from './composition-resources.ts';
import { withCompositionJob } from './live-composition.ts';

export function CompositionList() {
  const calls = useCompositionCalls();
  const hub = useHubChannel('jobs');
  const first = useLoaded(
    useCallback((signal) => calls.list(undefined, signal), [calls]),
    pollMs(hub.link),
  );
  const { refresh } = first;
  const more = useMore(
    first.value,
    ({ composition_id }) => composition_id,
    (cursor) => calls.list(cursor),
  );
  const all = more.items;
  const jobs = hub.link === 'live' ? hub.view?.jobs : undefined;
  const shown = all.map((one) => withCompositionJob(one, jobs?.get(one.task_id)));
  const ended = shown.filter((one, i) => one.status !== all[i]?.status).map((one) => `${one.task_id} ${one.status}`);
  const changes = ended.join();
  useEffect(() => {
    if (changes !== '') refresh(); // outputs and reasons come from the API alone
  }, [changes, refresh]);
  if (first.value !== undefined && all.length === 0) return null;
  return (
    <section className="earlier" aria-labelledby="earlier-heading">
      <h2 id="earlier-heading" className="list-heading">
        Compositions
      </h2>
      <ErrorNotice error={first.error ?? more.error} />
      <ul className="media-grid">
        {shown.map((one) => (
          <li key={one.composition_id}>
            <CompositionCard composition={one} />
          </li>
        ))}
      </ul>
      <MoreButton more={more} />
    </section>
  );
}

const tones = { pending: 'plain', processing: 'plain', completed: 'good', failed: 'bad', cancelled: 'warn' } as const;

function CompositionCard({ composition: one }: { readonly composition: Composition }) {
  return (
    <Link to={{ kind: 'composition', compositionId: one.composition_id }} className="video-card">
      <Poster
        url={one.output?.poster_url}
        corner={one.output === null ? undefined : runningTime(one.output.duration_ms)}
      />
      <span className="video-card-title">{one.title}</span>
      <span className="video-card-facts">
        {one.videos.length} videos · {relativeTime(one.created_at, Date.now())}
      </span>
      {isActive(one.status) ? (
        <span className="video-card-progress">
          <ProgressBar value={one.progress} label={`Joining of ${one.title}`} />
          <span className="hint">
            {[progressWords(one), `${Math.floor(one.progress)} %`, etaWords(one.eta_ms)].filter(Boolean).join(' · ')}
          </span>
        </span>
      ) : (
        <span className="video-card-state">
          <Badge tone={tones[one.status]}>{statusWords[one.status]}</Badge>
          {one.error !== null && <span className="hint">{one.error.reason}</span>}
        </span>
      )}
    </Link>
  );
}
