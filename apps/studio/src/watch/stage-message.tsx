/** What stands in the player's place, or over it, while there is no moving picture. */
import type { ReactNode } from 'react';
import type { WatchState } from './watch-state.ts';

interface StageMessageProps {
  readonly state: WatchState;
  readonly onRetry: () => void;
}

export function StageMessage({ state, onRetry }: StageMessageProps) {
  switch (state.kind) {
    case 'loading':
      return <Waiting label="Loading" />;
    case 'offline':
      return (
        <Card heading={state.ended ? 'The stream has ended' : 'The stream is offline'}>
          <p>
            {state.ended ? 'Thanks for watching.' : 'It has not started yet.'} When it goes live, it starts here by
            itself.
          </p>
          <p className="pulse-line">
            <span className="pulse" aria-hidden="true" /> Waiting for the broadcaster
          </p>
        </Card>
      );
    case 'refused':
      return (
        <Card heading={state.reason === 'missing' ? 'No such stream' : 'You need a valid link'}>
          <p>{state.text}</p>
          <button type="button" className="button" onClick={onRetry}>
            Try again
          </button>
        </Card>
      );
    case 'unreachable':
      return (
        <Card heading="No connection">
          <p>{state.text}</p>
          <p className="pulse-line">
            <span className="pulse" aria-hidden="true" /> Trying again by itself
          </p>
        </Card>
      );
    case 'live':
      if (state.phase === 'playing') return null;
      if (state.phase === 'interrupted') {
        return (
          <Card heading="One moment" overlay>
            <p>The broadcaster's connection dropped. The picture comes back by itself.</p>
          </Card>
        );
      }
      return <Waiting label={state.phase === 'starting' ? 'Starting' : 'Waiting for more'} />;
  }
}

function Waiting({ label }: { readonly label: string }) {
  return (
    <div className="stage-waiting" role="status">
      <span className="spinner" aria-hidden="true" />
      <span className="visually-hidden">{label}</span>
    </div>
  );
}

interface CardProps {
  readonly heading: string;
  readonly overlay?: boolean;
  readonly children: ReactNode;
}

function Card({ heading, overlay = false, children }: CardProps) {
  return (
    <div className={overlay ? 'stage-card stage-card-over' : 'stage-card'} role="status">
      <h2>{heading}</h2>
      {children}
    </div>
  );
}
