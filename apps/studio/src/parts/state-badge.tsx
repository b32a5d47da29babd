/** The state of a stream in one word. */
import { assertNever } from '@millrace/result';
import type { StreamState } from '../api/resources.ts';

export function StateBadge({ state }: { readonly state: StreamState }) {
  switch (state) {
    case 'live':
      return <span className="badge badge-live">Live</span>;
    case 'interrupted':
      return <span className="badge badge-interrupted">Interrupted</span>;
    case 'idle':
      return <span className="badge">Offline</span>;
    default:
      return assertNever(state);
  }
}
