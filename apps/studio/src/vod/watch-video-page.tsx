/** The public page of a video: the picture first. Needs no API: what plays is at an address that follows from the page's own. */
import { createRoot } from 'react-dom/client';
import { Brand } from '../parts/brand.tsx';
import { VodPlayer } from './vod-player.tsx';

interface WatchVideoPageProps {
  readonly playbackId: string;
  /** Playback token of a private video. */
  readonly token?: string;
}

export function mountWatchVideoPage(root: HTMLElement, page: WatchVideoPageProps): void {
  createRoot(root).render(<WatchVideoPage {...page} />);
}

function WatchVideoPage({ playbackId, token }: WatchVideoPageProps) {
  const folder = `/vod/${encodeURIComponent(playbackId)}${token === undefined ? '' : `/${encodeURIComponent(token)}`}`;
  return (
    <div className="watch">
      <main>
        <h1 className="visually-hidden">Video</h1>
        <VodPlayer title="Video" url={`${folder}/index.m3u8`} poster={`${folder}/poster.jpg`} eager autoplay />
      </main>
      <footer>
        <Brand />
      </footer>
    </div>
  );
}
