/** A video whose sound is played under the picture. */
import { useCallback, useId } from 'react';
import { useLoaded } from '../pages/use-call.ts';
import { useVideoCalls } from '../videos/use-videos.ts';

interface SoundFieldProps {
  /** Id of the video; empty: no sound. */
  readonly value: string;
  readonly onChange: (videoId: string) => void;
}

export function SoundField({ value, onChange }: SoundFieldProps) {
  const id = useId();
  const calls = useVideoCalls();
  const videos = useLoaded(
    useCallback((signal) => calls.list({ status: 'completed', limit: 100 }, undefined, signal), [calls]),
  );
  const withSound = (videos.value?.items ?? []).filter((video) => (video.media?.audio ?? null) !== null);
  return (
    <div className="field">
      <label htmlFor={id}>Sound</label>
      <select id={id} value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">None</option>
        {withSound.map((video) => (
          <option key={video.video_id} value={video.video_id}>
            {video.title}
          </option>
        ))}
      </select>
    </div>
  );
}
