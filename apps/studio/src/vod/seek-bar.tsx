/**
 * Where the video is, and where it goes: a slider, with a small picture of the place under the mouse or finger, or of where the keys have
 * brought it. The pictures say nothing that the slider does not say in words, so screen readers are spared them.
 */
import { type PointerEvent, useCallback, useEffect, useRef, useState } from 'react';
import { runningTime } from '../format/numbers.ts';
import { type StoryboardTile, tileAt } from './storyboard.ts';
import { useStoryboard } from './use-storyboard.ts';

interface SeekBarProps {
  readonly atS: number;
  /** 0 while unknown. */
  readonly durationS: number;
  /** Address of the storyboard; undefined: there is none. */
  readonly storyboard: string | undefined;
  readonly onSeek: (toS: number) => void;
}

/** A picture stays so long after a key or a finger, ms. */
const staysMs = 2_500;
/** Height of the time below it. */
const timePx = 22;

export function SeekBar({ atS, durationS, storyboard, onSeek }: SeekBarProps) {
  const input = useRef<HTMLInputElement>(null);
  const { tiles, want } = useStoryboard(storyboard);
  const { shownS, show, hide, fade } = useShown();
  const under = (event: PointerEvent<HTMLInputElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - left) / (width || 1))) * durationS;
  };
  const tile = shownS === undefined ? undefined : tileAt(tiles, shownS);
  return (
    <>
      {shownS !== undefined && tile !== undefined && (
        <Preview tile={tile} atS={shownS} place={durationS === 0 ? 0 : shownS / durationS} slider={input} />
      )}
      <input
        ref={input}
        className="seek"
        type="range"
        min={0}
        max={durationS || 1}
        step={0.25}
        value={atS}
        disabled={durationS === 0}
        aria-label="Position"
        aria-valuetext={`${runningTime(atS * 1000)} of ${runningTime(Math.round(durationS) * 1000)}`}
        onChange={(event) => {
          const toS = Number(event.target.value);
          onSeek(toS);
          show(toS);
          fade();
        }}
        onFocus={want}
        onBlur={hide}
        onPointerEnter={want}
        onPointerDown={want}
        onPointerMove={(event) => show(under(event))}
        onPointerLeave={(event) => (event.pointerType === 'mouse' ? hide() : fade())}
        onPointerCancel={hide}
      />
    </>
  );
}

/** The place that is shown, s; it goes by itself after a while if nothing moves. */
function useShown() {
  const [shownS, setShown] = useState<number | undefined>(undefined);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const stay = useCallback(() => clearTimeout(timer.current), []);
  useEffect(() => stay, [stay]);
  const show = (toS: number) => {
    stay();
    setShown(toS);
  };
  const hide = () => {
    stay();
    setShown(undefined);
  };
  const fade = () => {
    stay();
    timer.current = setTimeout(() => setShown(undefined), staysMs);
  };
  return { shownS, show, hide, fade };
}

interface PreviewProps {
  readonly tile: StoryboardTile;
  readonly atS: number;
  /** Along the slider, 0..1. */
  readonly place: number;
  readonly slider: { readonly current: HTMLInputElement | null };
}

/** Over the slider, within the stage; a tall picture is made smaller where the stage is low. */
function Preview({ tile, atS, place, slider }: PreviewProps) {
  const bar = slider.current?.getBoundingClientRect();
  const controls = slider.current?.parentElement?.getBoundingClientRect();
  const stage = slider.current?.closest('.vod-stage')?.getBoundingClientRect();
  if (bar === undefined || controls === undefined || stage === undefined) return null;
  const roomPx = Math.max(40, bar.top - stage.top - timePx - 12);
  const scale = Math.min(1, roomPx / tile.height);
  const half = (tile.width * scale) / 2 + 4;
  const centre = bar.left - controls.left + place * bar.width;
  const left = Math.min(Math.max(half, centre), controls.width - half);
  const { width, height, x, y } = tile;
  return (
    <div
      className="seek-preview"
      aria-hidden="true"
      style={{ left, bottom: controls.bottom - bar.top + 4, width: width * scale }}
    >
      <div className="seek-preview-frame" style={{ height: height * scale }}>
        <div
          className="seek-preview-picture"
          style={{
            ...{ width, height, transform: `scale(${scale})` },
            ...{ backgroundImage: `url("${tile.url}")`, backgroundPosition: `-${x}px -${y}px` },
          }}
        />
      </div>
      <span className="seek-preview-time">{runningTime(atS * 1000)}</span>
    </div>
  );
}
