/** The hub for the studio's pages. */
import type { Channel, HubJob, HubStream } from '@millrace/api';
import {
  type ChannelState,
  type ChannelStore,
  type ChannelView,
  createChannelStore,
  createHubClient,
} from '@millrace/hub-client';
import { createContext, type ReactNode, useContext, useMemo, useSyncExternalStore } from 'react';
import { pageTime } from '../player/browser-time.ts';
import { useStudio } from '../session/context.tsx';
import { hubAddress } from './hub-address.ts';
import { HubConnection, type HubLink } from './hub-connection.ts';

const HubContext = createContext<HubConnection | undefined>(undefined);

/** Another person's sign-in gets another connection. */
export function HubProvider({ children }: { readonly children: ReactNode }) {
  const { store, session } = useStudio();
  const owner = session?.owner_id;
  const hub = useMemo(() => {
    void owner; // what the connection shows depends on it
    const token = () => store.session?.token;
    return new HubConnection({
      open: () => createHubClient({ url: hubAddress(location), token }),
      time: pageTime,
    });
  }, [owner, store]);
  return <HubContext value={hub}>{children}</HubContext>;
}

function useHub(): HubConnection {
  const hub = useContext(HubContext);
  if (hub === undefined) throw new Error('useHub outside HubProvider');
  return hub;
}

export function useHubLink(): HubLink {
  const hub = useHub();
  return useSyncExternalStore(
    useMemo(() => (listener: () => void) => hub.onLink(listener), [hub]),
    () => hub.link,
  );
}

export interface HubChannel {
  /** What the channel shows; kept while the hub is away, undefined before it was first heard. */
  readonly view: ChannelView | undefined;
  /** Whether `view` is brought up to date. `connecting` only until the first attempt has failed or worked. */
  readonly link: 'connecting' | 'live' | 'away';
}

/** Follows a channel for as long as the component is there; without one, nothing. */
export function useHubChannel(channel: Channel | undefined): HubChannel {
  const hub = useHub();
  const store = useMemo(() => (channel === undefined ? silence : createChannelStore(hub, channel)), [hub, channel]);
  const link = useHubLink();
  const { view, ended } = useSyncExternalStore(
    useMemo(() => (listener: () => void) => store.subscribe(listener), [store]),
    () => store.get(),
  );
  if (ended !== undefined || link === 'away') return { view, link: 'away' };
  return { view, link: link === 'open' && view !== undefined ? 'live' : 'connecting' };
}

const silent: ChannelState = { view: undefined, ended: undefined };
const silence: ChannelStore = { subscribe: () => () => undefined, get: () => silent };

/** One job, by its id; undefined: none. */
export function useHubJob(jobId: string | undefined): HubChannel & { readonly job: HubJob | undefined } {
  const channel = useHubChannel(jobId === undefined ? undefined : `job:${jobId}`);
  return { ...channel, job: jobId === undefined ? undefined : channel.view?.jobs.get(jobId) };
}

/** One stream, by its id. */
export function useHubStream(streamId: string): HubChannel & { readonly stream: HubStream | undefined } {
  const channel = useHubChannel(`stream:${streamId}`);
  return { ...channel, stream: channel.view?.streams.get(streamId) };
}

/** How often to ask the API instead, ms; undefined: not at all. */
export function pollMs(link: HubChannel['link']): number | undefined {
  if (link === 'live') return undefined;
  return link === 'connecting' ? 1_500 : 5_000;
}
