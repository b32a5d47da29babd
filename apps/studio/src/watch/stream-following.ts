/** The watch page at the hub: changes of the stream's state without asking, and how many watch. In a bundle of its own. */
import type { HubStream } from '@millrace/api';
import { createHubClient } from '@millrace/hub-client';
import { hubAddress } from '../hub/hub-address.ts';
import type { Visit } from './begin.ts';

/** Follows the visit's stream until the page goes. Without the hub the page asks the API, as it does anyway. */
export function followStream({ playbackId, token, session, audience }: Visit): void {
  const hub = createHubClient({ url: hubAddress(location) });
  let stream: HubStream | undefined;
  const hear = (streams: ReadonlyMap<string, HubStream>) => {
    // The channel has the one stream, by its own id.
    [stream] = streams.values();
    tell();
  };
  const tell = () => {
    audience.count(stream?.viewers);
    session.hear(stream?.state);
  };
  hub.onState((state) => {
    if (state === 'open') tell();
    if (state !== 'waiting') return;
    // A count of some seconds ago is worse than none: the page says nothing it does not know.
    audience.count(undefined);
    session.hear(undefined);
  });
  hub.subscribe(`stream:${playbackId}`, {
    token,
    onSnapshot: ({ streams }) => hear(streams),
    onChanges: (_, { streams }) => hear(streams),
    onClosed: () => {
      audience.count(undefined);
      session.hear(undefined);
      hub.close();
    },
  });
}
