/** The player of a video for who is signed in: a private one gets a playback token of its own. */
import { useCallback } from 'react';
import { useLoaded } from '../pages/use-call.ts';
import { FilmIcon } from '../parts/icons.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { VodPlayer } from '../vod/vod-player.tsx';
import { useMayChange, useVideoCalls } from './use-videos.ts';
import type { Video } from './video-resources.ts';

/** Outlives any sitting at the screen; a new page makes a new one. */
const tokenLifetimeS = 86_400;

export function Screening({ video }: { readonly video: Video }) {
  const mayChange = useMayChange();
  const { playback, visibility } = video;
  if (playback === null) return <NothingYet video={video} />;
  const version = JSON.stringify([playback.complete, playback.subtitles]);
  if (visibility === 'private') {
    return mayChange ? <PrivateScreening video={video} version={version} /> : <NothingYet video={video} />;
  }
  const { hls_url: url, poster_url: poster, storyboard_url: storyboard } = playback;
  return <VodPlayer title={video.title} url={url} poster={poster} storyboard={storyboard} version={version} />;
}

function PrivateScreening({ video, version }: { readonly video: Video; readonly version: string }) {
  const calls = useVideoCalls();
  const token = useLoaded(
    useCallback(() => calls.createToken(video.video_id, tokenLifetimeS), [calls, video.video_id]),
  );
  if (token.value === undefined) {
    return token.error === undefined ? <NothingYet video={video} /> : <ErrorNotice error={token.error} />;
  }
  const { hls_url: url, poster_url, storyboard_url } = token.value;
  const poster = (video.playback?.poster_url ?? null) === null ? null : poster_url;
  const storyboard = (video.playback?.storyboard_url ?? null) === null ? null : storyboard_url;
  return <VodPlayer title={video.title} url={url} poster={poster} storyboard={storyboard} version={version} />;
}

function NothingYet({ video }: { readonly video: Video }) {
  const words =
    video.playback !== null
      ? 'This video is private. A broadcaster can create links to it.'
      : video.status === 'processing' || video.status === 'pending'
        ? 'It can be played here as soon as the first rendition is ready.'
        : 'There is nothing to play.';
  return (
    <div className="preview-idle vod-nothing">
      <FilmIcon />
      <p className="hint">{words}</p>
    </div>
  );
}
