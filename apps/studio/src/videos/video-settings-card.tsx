/** Title, visibility and language of a video, and its end. */
import { type FormEvent, useEffect, useId, useState } from 'react';
import { useAction } from '../pages/use-call.ts';
import { ConfirmButton } from '../parts/confirm-button.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { navigate } from '../routing/router.tsx';
import { LanguageField } from './language-field.tsx';
import { useVideoCalls } from './use-videos.ts';
import type { Video } from './video-resources.ts';

interface VideoSettingsCardProps {
  readonly video: Video;
  readonly onChanged: () => void;
}

export function VideoSettingsCard({ video, onChanged }: VideoSettingsCardProps) {
  const calls = useVideoCalls();
  const [saved, setSaved] = useState(false);
  useEffect(() => {
    if (!saved) return;
    const timer = setTimeout(() => setSaved(false), 3_000);
    return () => clearTimeout(timer);
  }, [saved]);
  const remove = async () => {
    const answer = await calls.remove(video.video_id);
    if (!answer.ok) return answer.error;
    navigate({ kind: 'videos', view: {} }, { replace: true });
    return undefined;
  };
  return (
    <section className="card stack" aria-labelledby="settings-heading">
      <h2 id="settings-heading">Settings</h2>
      {/* A change made elsewhere starts the form anew; progress does not. */}
      <SettingsForm
        key={JSON.stringify([video.title, video.visibility, video.language])}
        video={video}
        onChanged={() => {
          setSaved(true);
          onChanged();
        }}
      />
      <p className="hint" role="status">
        {saved ? 'Saved.' : ''}
      </p>
      <div className="danger-zone">
        <ConfirmButton
          label="Delete video"
          heading={`Delete “${video.title}”?`}
          confirm="Delete video"
          onConfirm={remove}
        >
          <p>
            The video, its original and its links are gone at once, and a running job is stopped. This cannot be undone.
          </p>
        </ConfirmButton>
      </div>
    </section>
  );
}

function SettingsForm({ video, onChanged }: VideoSettingsCardProps) {
  const id = useId();
  const calls = useVideoCalls();
  const { busy, error, run } = useAction();
  const [draft, setDraft] = useState({ title: video.title, visibility: video.visibility, language: video.language });
  const languageChanged = draft.language !== video.language;
  const changed = languageChanged || draft.title.trim() !== video.title || draft.visibility !== video.visibility;
  const save = async (event: FormEvent) => {
    event.preventDefault();
    const title = draft.title.trim();
    const updated = await run(() => calls.update(video.video_id, { ...draft, title }));
    if (updated !== undefined) onChanged();
  };
  return (
    <form className="stack" onSubmit={(event) => void save(event)}>
      <ErrorNotice error={error} />
      <div className="field">
        <label htmlFor={`${id}-title`}>Title</label>
        <input
          id={`${id}-title`}
          required
          maxLength={200}
          value={draft.title}
          onChange={(event) => setDraft({ ...draft, title: event.target.value })}
        />
      </div>
      <div className="field">
        <label htmlFor={`${id}-visibility`}>Who can watch</label>
        <select
          id={`${id}-visibility`}
          value={draft.visibility}
          onChange={(event) =>
            setDraft({ ...draft, visibility: event.target.value === 'private' ? 'private' : 'public' })
          }
        >
          <option value="public">Anyone with the link</option>
          <option value="private">Only links with an expiry</option>
        </select>
      </div>
      <LanguageField value={draft.language} onChange={(language) => setDraft({ ...draft, language })} />
      {languageChanged && (
        <p className="hint">The language counts from the next run on: save, then make new subtitles.</p>
      )}
      <div className="actions">
        <button
          type="submit"
          className="button button-primary"
          disabled={busy || !changed || draft.title.trim() === ''}
        >
          Save
        </button>
      </div>
    </form>
  );
}
