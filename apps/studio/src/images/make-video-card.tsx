/** What the video of an image is to be, and asking for it. */
import { type FormEvent, useId, useState } from 'react';
import { useAction } from '../pages/use-call.ts';
import { ConfirmButton } from '../parts/confirm-button.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { useImageCalls } from './image-calls.ts';
import type { Image } from './image-resources.ts';
import { SoundField } from './sound-field.tsx';
import { bodyOfWish, durationOf, type Motion, motions, sizes, usualWish, type VideoWish } from './video-wish.ts';

interface MakeVideoCardProps {
  readonly image: Image;
  readonly active: boolean;
  readonly onMotion: (motion: Motion) => void;
  readonly onChanged: () => void;
}

export function MakeVideoCard({ image, active, onMotion, onChanged }: MakeVideoCardProps) {
  const calls = useImageCalls();
  const { busy, error, run } = useAction();
  const [wish, setWish] = useState<VideoWish>({ ...usualWish, prompt: image.prompt ?? '' });
  const { img_name: name } = image;
  const noPicture = image.image_url === null && wish.provider.trim() === '';
  const body = bodyOfWish(wish, false);
  const make = async (event: FormEvent) => {
    event.preventDefault();
    if (body === undefined) return;
    if (await run(() => calls.makeVideo(name, body))) onChanged();
  };
  const startOver = async () => {
    const forced = bodyOfWish(wish, true);
    if (forced === undefined) return undefined;
    const answer = await calls.makeVideo(name, forced);
    if (!answer.ok) return answer.error;
    onChanged();
    return undefined;
  };
  const cancel = async () => {
    await run(() => calls.cancelVideo(name));
    onChanged();
  };
  return (
    <section className="card stack" aria-labelledby="make-heading">
      <h2 id="make-heading">{image.has_video ? 'Make the video anew' : 'Make a video'}</h2>
      <form className="stack" onSubmit={(event) => void make(event)}>
        <MotionChoice
          value={wish.motion}
          onChange={(motion) => {
            setWish({ ...wish, motion });
            onMotion(motion);
          }}
        />
        <WishFields wish={wish} hasVideo={image.has_video} onChange={setWish} />
        <Generator wish={wish} onChange={setWish} />
        <ErrorNotice error={error} />
        {noPicture && <p className="hint">Without a picture only a generator can make the video: name one above.</p>}
        <div className="actions">
          {active ? (
            <>
              <button type="button" className="button" disabled={busy} onClick={() => void cancel()}>
                Cancel
              </button>
              <ConfirmButton
                label="Start over with this"
                className="button"
                heading="Stop this run and start over?"
                confirm="Stop and start over"
                dismiss="Leave it running"
                onConfirm={startOver}
              >
                <p>What it has drawn so far is thrown away, and the video is made as the form says now.</p>
              </ConfirmButton>
            </>
          ) : (
            <button type="submit" className="button button-primary" disabled={busy || body === undefined || noPicture}>
              Make the video
            </button>
          )}
        </div>
      </form>
    </section>
  );
}

interface WishProps {
  readonly wish: VideoWish;
  readonly onChange: (wish: VideoWish) => void;
}

function MotionChoice({ value, onChange }: { readonly value: Motion; readonly onChange: (motion: Motion) => void }) {
  const name = useId();
  return (
    <fieldset className="choices">
      <legend>Motion</legend>
      <div className="chips">
        {motions.map(({ motion, words }) => (
          <label key={motion} className="chip">
            <input
              type="radio"
              name={name}
              className="visually-hidden"
              checked={motion === value}
              onChange={() => onChange(motion)}
            />
            {words}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function WishFields({ wish, hasVideo, onChange }: WishProps & { readonly hasVideo: boolean }) {
  const id = useId();
  const wrong = durationOf(wish.seconds) === undefined;
  return (
    <div className="wish-fields">
      <div className="field">
        <label htmlFor={`${id}-seconds`}>Length in seconds</label>
        <input
          id={`${id}-seconds`}
          inputMode="decimal"
          autoComplete="off"
          value={wish.seconds}
          aria-invalid={wrong}
          aria-describedby={wrong ? `${id}-wrong` : undefined}
          onChange={(event) => onChange({ ...wish, seconds: event.target.value })}
        />
        {wrong && (
          <p className="sequence-wrong" id={`${id}-wrong`}>
            From 0.5 to 600.
          </p>
        )}
      </div>
      <div className="field">
        <label htmlFor={`${id}-size`}>Size</label>
        <select
          id={`${id}-size`}
          value={wish.size}
          onChange={(event) =>
            onChange({ ...wish, size: sizes.find(({ name }) => name === event.target.value)?.name ?? wish.size })
          }
        >
          {sizes.map(({ name, words }) => (
            <option key={name} value={name}>
              {words}
            </option>
          ))}
        </select>
      </div>
      <div className="field">
        <label htmlFor={`${id}-fill`}>If its shape differs</label>
        <select
          id={`${id}-fill`}
          value={wish.fill}
          onChange={(event) => onChange({ ...wish, fill: event.target.value === 'blur' ? 'blur' : 'crop' })}
        >
          <option value="crop">Cut it to fill the frame</option>
          <option value="blur">Show all, over a blurred copy</option>
        </select>
      </div>
      {!hasVideo && (
        <div className="field">
          <label htmlFor={`${id}-visibility`}>Who can watch</label>
          <select
            id={`${id}-visibility`}
            value={wish.visibility}
            onChange={(event) =>
              onChange({ ...wish, visibility: event.target.value === 'private' ? 'private' : 'public' })
            }
          >
            <option value="public">Anyone with the link</option>
            <option value="private">Only links with an expiry</option>
          </select>
        </div>
      )}
      <SoundField value={wish.audioVideoId} onChange={(audioVideoId) => onChange({ ...wish, audioVideoId })} />
      <div className="field wish-wide">
        <label htmlFor={`${id}-caption`}>Caption</label>
        <input
          id={`${id}-caption`}
          maxLength={500}
          placeholder="Written into the picture"
          value={wish.caption}
          onChange={(event) => onChange({ ...wish, caption: event.target.value })}
        />
      </div>
    </div>
  );
}

function Generator({ wish, onChange }: WishProps) {
  const id = useId();
  return (
    <details>
      <summary>By an external generator</summary>
      <div className="stack generator">
        <div className="field">
          <label htmlFor={`${id}-provider`}>Generator</label>
          <input
            id={`${id}-provider`}
            maxLength={64}
            placeholder="Its name in the server's settings"
            value={wish.provider}
            onChange={(event) => onChange({ ...wish, provider: event.target.value })}
          />
        </div>
        <div className="field">
          <label htmlFor={`${id}-prompt`}>What should happen in it</label>
          <textarea
            id={`${id}-prompt`}
            rows={3}
            maxLength={4000}
            value={wish.prompt}
            onChange={(event) => onChange({ ...wish, prompt: event.target.value })}
          />
        </div>
      </div>
    </details>
  );
}
