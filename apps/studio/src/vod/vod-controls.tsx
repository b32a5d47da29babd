/** The controls over a processed video. They fade while it plays and nobody moves. */
import { type KeyboardEvent, type RefObject, useCallback } from 'react';
import { languageName } from '../format/language-name.ts';
import { runningTime } from '../format/numbers.ts';
import {
  CaptionsIcon,
  EnterFullscreenIcon,
  LeaveFullscreenIcon,
  MutedIcon,
  PauseIcon,
  PlayIcon,
  SoundIcon,
} from '../parts/icons.tsx';
import { useMedia } from '../player/use-media.ts';
import { toggleFullscreen, useFullscreen } from '../watch/fullscreen.ts';
import { useIdle } from '../watch/use-idle.ts';
import { rememberVolume } from '../watch/volume.ts';
import { SeekBar } from './seek-bar.tsx';
import { showSubtitles, useSubtitles } from './text-tracks.ts';
import { usePosition } from './use-position.ts';

interface VodControlsProps {
  readonly video: HTMLVideoElement;
  readonly stage: RefObject<HTMLDivElement | null>;
  readonly loading: boolean;
  /** Address of its small pictures; undefined: there are none. */
  readonly storyboard: string | undefined;
  readonly onPlay: () => void;
}

export function VodControls({ video, stage, loading, storyboard, onPlay }: VodControlsProps) {
  const media = useMedia(video);
  const { atS, durationS, waiting } = usePosition(video);
  const fullscreen = useFullscreen();
  const idle = useIdle(stage, 2_500);
  const playing = !media.paused;
  const toggle = useCallback(() => (video.paused ? onPlay() : video.pause()), [video, onPlay]);
  const setMuted = (muted: boolean) => {
    video.muted = muted;
    if (!muted && video.volume === 0) video.volume = 0.5;
    rememberVolume({ volume: video.volume, muted });
  };
  const seek = (toS: number) => {
    video.currentTime = Math.min(Math.max(0, toS), durationS);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const onControl = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    const onButton = event.target instanceof HTMLButtonElement;
    if (event.key === 'k' || (event.key === ' ' && !onButton && !onControl)) toggle();
    else if (event.key === 'm') setMuted(!video.muted);
    else if (event.key === 'f') toggleFullscreen(stage.current, video);
    else if (event.key === 'j') seek(video.currentTime - 10);
    else if (event.key === 'l') seek(video.currentTime + 10);
    else return;
    event.preventDefault();
  };
  return (
    <div className="vod-overlay" onKeyDown={onKey} data-idle={playing && idle ? '' : undefined}>
      {/* A mouse's shortcut only: the button in the bar does the same for everybody. */}
      <div className="stage-touch" onClick={toggle} aria-hidden="true" />
      {(loading || waiting) && (
        <div className="stage-waiting" role="status">
          <span className="spinner" aria-hidden="true" />
          <span className="visually-hidden">Loading</span>
        </div>
      )}
      {media.paused && !loading && (
        <button type="button" className="big-play" onClick={onPlay} aria-label="Play">
          <PlayIcon />
        </button>
      )}
      <div className={playing && idle ? 'controls controls-hidden' : 'controls'}>
        <button type="button" className="control" onClick={toggle} aria-label={playing ? 'Pause' : 'Play from here'}>
          {playing ? <PauseIcon /> : <PlayIcon />}
        </button>
        <SeekBar atS={atS} durationS={durationS} storyboard={storyboard} onSeek={seek} />
        <span className="vod-time">
          {runningTime(atS * 1000)} / {runningTime(Math.round(durationS) * 1000)}
        </span>
        <SubtitlesControl video={video} />
        <button
          type="button"
          className="control"
          onClick={() => setMuted(!media.muted)}
          aria-label={media.muted ? 'Turn the sound on' : 'Mute'}
        >
          {media.muted || media.volume === 0 ? <MutedIcon /> : <SoundIcon />}
        </button>
        <button
          type="button"
          className="control"
          onClick={() => toggleFullscreen(stage.current, video)}
          aria-label={fullscreen ? 'Leave full screen' : 'Full screen'}
        >
          {fullscreen ? <LeaveFullscreenIcon /> : <EnterFullscreenIcon />}
        </button>
      </div>
    </div>
  );
}

/** One track is turned on and off; of several one is chosen. */
function SubtitlesControl({ video }: { readonly video: HTMLVideoElement }) {
  const { tracks, shown } = useSubtitles(video);
  const [only, ...others] = tracks;
  if (only === undefined) return null;
  if (others.length === 0) {
    return (
      <button
        type="button"
        className="control"
        aria-pressed={shown >= 0}
        onClick={() => showSubtitles(video, shown >= 0 ? -1 : 0)}
        aria-label={`Subtitles, ${languageName(only.language)}`}
        title={`Subtitles: ${languageName(only.language)}`}
      >
        <CaptionsIcon />
      </button>
    );
  }
  return (
    <select
      className="vod-subtitles"
      aria-label="Subtitles"
      value={shown}
      onChange={(event) => showSubtitles(video, Number(event.target.value))}
    >
      <option value={-1}>Subtitles off</option>
      {tracks.map((track, index) => (
        <option key={`${track.language} ${track.label}`} value={index}>
          {languageName(track.language)}
        </option>
      ))}
    </select>
  );
}
