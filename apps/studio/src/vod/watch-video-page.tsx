/** The public page of a video: the picture first. Needs no API: what plays is at an address that follows from the page's own. */
import { useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { Brand } from '../parts/brand.tsx';
import { useTitle } from './use-title.ts';
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
  const title = useTitle(`${folder}/about.json`);
  useEffect(() => {
    document.title = title === undefined ? 'Millrace' : `${title} · Millrace`;
  }, [title]);
  return (
    <div className="watch">
      <main>
        <VodPlayer
          title={title ?? 'Video'}
          url={`${folder}/index.m3u8`}
          poster={`${folder}/poster.jpg`}
          storyboard={`${folder}/storyboard.vtt`}
          eager
          autoplay
        />
        <div className="watch-title">
          <h1>{title ?? <span className="visually-hidden">Video</span>}</h1>
        </div>
      </main>
      <footer>
        <Brand />
      </footer>
    </div>
  );
}
