/** The preview's player: one video element, and a playback in it for as long as the stream is on. */
import { useEffect, useMemo, useRef } from 'react';
import type { StreamDetail } from '../api/resources.ts';
import { openPlayback, type Playback } from '../player/playback.ts';
import { useStudio } from '../session/context.tsx';
import { exposePlayer } from '../watch/debug-surface.ts';

export interface PreviewPlayer {
  readonly video: HTMLVideoElement;
  readonly playback: () => Playback | undefined;
}

/** A private preview's token outlives any session at the screen; a new page makes a new one. */
const tokenLifetimeS = 86_400;
const retryMs = 1_500;

/** Plays while `on`; when the playback is lost or ends, builds another until `on` says the stream is over. */
export function usePreviewPlayer(stream: StreamDetail, on: boolean): PreviewPlayer {
  const { api } = useStudio();
  const current = useRef<Playback | undefined>(undefined);
  const player = useMemo<PreviewPlayer>(() => {
    const video = document.createElement('video');
    video.muted = true;
    video.playsInline = true;
    return { video, playback: () => current.current };
  }, []);
  const { id } = stream;
  const publicUrl = stream.visibility === 'public' ? stream.playback.hls_url : null;

  useEffect(() => {
    if (!on) return;
    const { video } = player;
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = () => {
      current.current = undefined;
      if (!over) timer = setTimeout(() => void start(), retryMs);
    };
    const start = async () => {
      const url = publicUrl ?? (await privateUrl());
      if (over) return;
      if (url === undefined) return again();
      try {
        const playback = await openPlayback(video, url, again);
        if (over) return playback.close();
        current.current = playback;
        // Muted playing is allowed everywhere but in low-power mode; then the still picture stays.
        video.play().catch(() => undefined);
      } catch {
        again(); // the player's code did not load
      }
    };
    const privateUrl = async () => {
      const answer = await api.createPlaybackToken(id, tokenLifetimeS);
      return answer.ok ? answer.value.hls_url : undefined;
    };
    const hide = exposePlayer({ video, playback: player.playback, state: () => ({ kind: 'preview' }) });
    void start();
    return () => {
      over = true;
      clearTimeout(timer);
      hide();
      current.current?.close();
      current.current = undefined;
    };
  }, [api, id, on, player, publicUrl]);
  return player;
}
