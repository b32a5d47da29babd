/** Says, without being in the way, that what the page shows may be some seconds old. */
import { useHubLink } from '../hub/hub-context.tsx';

export function HubNotice() {
  const link = useHubLink();
  return (
    <span role="status" className="hub-notice">
      {link === 'away' && (
        <span title="The connection for live updates is being tried again. Until then the page asks every few seconds.">
          Re-connecting
        </span>
      )}
    </span>
  );
}
