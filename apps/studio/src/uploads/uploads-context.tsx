/** The uploads of the tab for React: they belong to who is signed in, and go on from page to page. */
import { ok } from '@millrace/result';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useSyncExternalStore } from 'react';
import { pageTime } from '../player/browser-time.ts';
import { useStudio } from '../session/context.tsx';
import { videoCalls } from '../videos/video-calls.ts';
import { isUnderWay, type UploadItem } from './upload-state.ts';
import { Uploads } from './uploads.ts';

const UploadsContext = createContext<Uploads | undefined>(undefined);

export function UploadsProvider({ children }: { readonly children: ReactNode }) {
  const { api, store, session } = useStudio();
  const ownerId = session?.owner_id ?? '';
  const uploads = useMemo(() => {
    const calls = videoCalls(api.caller);
    return new Uploads({
      ownerId,
      token: () => store.session?.token,
      loadCode: () => import('./tus-transfer.ts'),
      createVideo: async (draft) => {
        const created = await calls.create(draft);
        if (!created.ok) return created;
        const { video, upload_url } = created.value;
        return ok({ videoId: video.video_id, endpoint: upload_url ?? '/api/v1/uploads' });
      },
      removeVideo: calls.remove,
      time: pageTime,
    });
  }, [api, ownerId, store]);
  useEffect(() => {
    const onOnline = () => uploads.retryNow();
    const onOffline = () => uploads.breakOff();
    const onLeave = (event: BeforeUnloadEvent) => {
      if (uploads.items.some(isUnderWay)) event.preventDefault();
    };
    window.addEventListener('online', onOnline);
    window.addEventListener('offline', onOffline);
    window.addEventListener('beforeunload', onLeave);
    return () => {
      window.removeEventListener('online', onOnline);
      window.removeEventListener('offline', onOffline);
      window.removeEventListener('beforeunload', onLeave);
      uploads.close();
    };
  }, [uploads]);
  return <UploadsContext value={uploads}>{children}</UploadsContext>;
}

export function useUploads(): { readonly uploads: Uploads; readonly items: readonly UploadItem[] } {
  const uploads = useContext(UploadsContext);
  if (uploads === undefined) throw new Error('useUploads outside UploadsProvider');
  const items = useSyncExternalStore(
    useMemo(() => (listener: () => void) => uploads.subscribe(listener), [uploads]),
    () => uploads.items,
  );
  return { uploads, items };
}

/** Whether this browser remembers an upload that was not finished: cheap, so that the protocol's code is not loaded for it. */
export function remembersUploads(): boolean {
  try {
    return Object.keys(localStorage).some((key) => key.startsWith('tus::millrace-'));
  } catch {
    return false; // blocked storage
  }
}
