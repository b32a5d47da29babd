/** The public page of a stream. */
import { useEffect, useLayoutEffect, useRef, useSyncExternalStore } from 'react';
import { createRoot } from 'react-dom/client';
import { Brand } from '../parts/brand.tsx';
import { ViewerCount } from '../parts/viewer-count.tsx';
import type { Audience } from './audience.ts';
import type { Visit } from './begin.ts';
import { PlayerControls } from './player-controls.tsx';
import { StageMessage } from './stage-message.tsx';
import type { WatchState } from './watch-state.ts';

export function mountWatchPage(root: HTMLElement, visit: Visit): void {
  createRoot(root).render(<WatchPage visit={visit} />);
}

function titleOf(state: WatchState): string | undefined {
  return state.kind === 'live' || state.kind === 'offline' ? state.info.title : undefined;
}

function WatchPage({ visit }: { readonly visit: Visit }) {
  const { session, video } = visit;
  const state = useSyncExternalStore(
    (listener) => session.subscribe(listener),
    () => session.state,
  );
  const stage = useRef<HTMLDivElement>(null);
  const title = titleOf(state);

  useLayoutEffect(() => {
    // The element was made before React and outlives every render. It is moved within one task: a browser pauses a video
    // that it finds outside of the document.
    stage.current?.prepend(video);
  }, [video]);
  useEffect(() => {
    document.title = title === undefined ? 'Millrace' : `${title} · Millrace`;
  }, [title]);

  return (
    <div className="watch">
      <main>
        <div className="stage" ref={stage}>
          <StageMessage state={state} onRetry={() => session.start()} />
          {state.kind === 'live' && <PlayerControls visit={visit} stage={stage} phase={state.phase} />}
        </div>
        <div className="watch-title">
          <h1>{title ?? ' '}</h1>
          <Status state={state} />
          {state.kind === 'live' && <Watching audience={visit.audience} />}
        </div>
      </main>
      <footer>
        <Brand />
      </footer>
    </div>
  );
}

function Watching({ audience }: { readonly audience: Audience }) {
  const viewers = useSyncExternalStore(
    (listener) => audience.subscribe(listener),
    () => audience.viewers,
  );
  return viewers === undefined || viewers === 0 ? null : <ViewerCount viewers={viewers} />;
}

function Status({ state }: { readonly state: WatchState }) {
  if (state.kind === 'live') {
    return state.phase === 'interrupted' ? (
      <span className="badge badge-interrupted">Interrupted</span>
    ) : (
      <span className="badge badge-live">Live</span>
    );
  }
  if (state.kind === 'offline') return <span className="badge">{state.ended ? 'Ended' : 'Offline'}</span>;
  return null;
}
