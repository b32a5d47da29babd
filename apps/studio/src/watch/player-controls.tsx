/** The controls over the picture. They fade while it plays and nobody moves; the keyboard works all the time. */
import { type RefObject, useCallback, useEffect, useState } from 'react';
import { seconds } from '../format/numbers.ts';
import {
  EnterFullscreenIcon,
  LeaveFullscreenIcon,
  MutedIcon,
  PauseIcon,
  PlayIcon,
  SoundIcon,
} from '../parts/icons.tsx';
import { useLatency } from '../player/use-latency.ts';
import { useMedia } from '../player/use-media.ts';
import type { Visit } from './begin.ts';
import { toggleFullscreen, useFullscreen } from './fullscreen.ts';
import { useIdle } from './use-idle.ts';
import { rememberVolume } from './volume.ts';
import type { LivePhase } from './watch-state.ts';

interface PlayerControlsProps {
  readonly visit: Visit;
  readonly stage: RefObject<HTMLDivElement | null>;
  readonly phase: LivePhase;
}

export function PlayerControls({ visit, stage, phase }: PlayerControlsProps) {
  const { video, session } = visit;
  const media = useMedia(video);
  const latency = useLatency(useCallback(() => session.playback, [session]));
  const fullscreen = useFullscreen();
  const idle = useIdle(stage, 2_500);
  const autoplay = useAutoplayOutcome(visit);
  const playing = phase === 'playing' && !media.paused;

  const togglePlay = useCallback(() => {
    if (video.paused) {
      // The browser may still refuse; the button then simply stays.
      video.play().catch(() => undefined);
    } else video.pause();
  }, [video]);
  const setVolume = useCallback(
    (volume: number, muted: boolean) => {
      video.volume = volume;
      video.muted = muted;
      rememberVolume({ volume, muted });
    },
    [video],
  );
  const toggleMute = useCallback(() => setVolume(video.volume || 0.5, !video.muted), [video, setVolume]);
  const full = useCallback(() => toggleFullscreen(stage.current, video), [stage, video]);
  const goLive = useCallback(() => {
    session.playback?.goLive();
    video.play().catch(() => undefined); // refused only where the play button was refused as well
  }, [session, video]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const onControl = event.target instanceof HTMLInputElement || event.target instanceof HTMLButtonElement;
      if (event.key === 'k' || (event.key === ' ' && !onControl)) togglePlay();
      else if (event.key === 'm') toggleMute();
      else if (event.key === 'f') full();
      else if (event.key === 'l') goLive();
      else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [togglePlay, toggleMute, full, goLive]);

  return (
    <>
      {/* A mouse's shortcut only: the buttons in the bar do the same for everybody. A tap just brings the bar back. */}
      <div
        className="stage-touch"
        onClick={() => !matchMedia('(hover: none)').matches && togglePlay()}
        onDoubleClick={full}
        aria-hidden="true"
      />
      {media.paused && media.hasFrame && (
        <button type="button" className="big-play" onClick={togglePlay} aria-label="Play">
          <PlayIcon />
        </button>
      )}
      {autoplay === 'muted-by-browser' && media.muted && playing && (
        <button type="button" className="sound-offer" onClick={() => setVolume(video.volume || 1, false)}>
          <MutedIcon /> Turn the sound on
        </button>
      )}
      <div className={playing && idle ? 'controls controls-hidden' : 'controls'}>
        <button type="button" className="control" onClick={togglePlay} aria-label={media.paused ? 'Play' : 'Pause'}>
          {media.paused ? <PlayIcon /> : <PauseIcon />}
        </button>
        <button
          type="button"
          className="control"
          onClick={toggleMute}
          aria-label={media.muted ? 'Turn the sound on' : 'Mute'}
        >
          {media.muted || media.volume === 0 ? <MutedIcon /> : <SoundIcon />}
        </button>
        <input
          className="volume"
          type="range"
          min="0"
          max="1"
          step="0.05"
          aria-label="Volume"
          value={media.muted ? 0 : media.volume}
          onChange={(event) => setVolume(Number(event.target.value), event.target.value === '0')}
        />
        <LiveBadge behind={latency.behind || media.paused} latencyS={latency.latencyS} onGoLive={goLive} />
        <span className="spacer" />
        <button
          type="button"
          className="control"
          onClick={full}
          aria-label={fullscreen ? 'Leave full screen' : 'Full screen'}
        >
          {fullscreen ? <LeaveFullscreenIcon /> : <EnterFullscreenIcon />}
        </button>
      </div>
    </>
  );
}

interface LiveBadgeProps {
  readonly behind: boolean;
  readonly latencyS: number | undefined;
  readonly onGoLive: () => void;
}

function LiveBadge({ behind, latencyS, onGoLive }: LiveBadgeProps) {
  const reading = latencyS === undefined ? '' : seconds(latencyS);
  if (behind) {
    return (
      <button type="button" className="live-badge live-badge-behind" onClick={onGoLive}>
        <span className="live-dot" aria-hidden="true" /> Jump to live <span className="live-latency">−{reading}</span>
      </button>
    );
  }
  return (
    <span className="live-badge" title="Distance to the live edge">
      <span className="live-dot" aria-hidden="true" /> Live <span className="live-latency">{reading}</span>
    </span>
  );
}

function useAutoplayOutcome(visit: Visit) {
  const [outcome, setOutcome] = useState(visit.outcome);
  useEffect(() => {
    const read = () => setOutcome(visit.outcome());
    read();
    visit.video.addEventListener('autoplay-outcome', read);
    return () => visit.video.removeEventListener('autoplay-outcome', read);
  }, [visit]);
  return outcome;
}
