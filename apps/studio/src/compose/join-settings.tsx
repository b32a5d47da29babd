/** How the videos are joined, and what comes of it is called. */
import { useId } from 'react';
import type { ComposeDraft, TransitionKind } from './compose-draft.ts';

interface JoinSettingsProps {
  readonly draft: ComposeDraft;
  readonly onChange: (draft: ComposeDraft) => void;
}

const transitions: readonly { readonly kind: TransitionKind; readonly words: string }[] = [
  { kind: 'cut', words: 'Cut' },
  { kind: 'fade', words: 'Fade through black' },
  { kind: 'crossfade', words: 'Crossfade' },
];
const lengthsMs = [250, 500, 1_000, 2_000] as const;

export function JoinSettings({ draft, onChange }: JoinSettingsProps) {
  const id = useId();
  return (
    <div className="join-settings">
      <div className="field">
        <label htmlFor={`${id}-title`}>Title</label>
        <input
          id={`${id}-title`}
          maxLength={200}
          placeholder="From the titles of the videos"
          value={draft.title}
          onChange={(event) => onChange({ ...draft, title: event.target.value })}
        />
      </div>
      <div className="field">
        <label htmlFor={`${id}-transition`}>Transition</label>
        <select
          id={`${id}-transition`}
          value={draft.transition}
          onChange={(event) => {
            const chosen = transitions.find(({ kind }) => kind === event.target.value);
            onChange({ ...draft, transition: chosen?.kind ?? draft.transition });
          }}
        >
          {transitions.map(({ kind, words }) => (
            <option key={kind} value={kind}>
              {words}
            </option>
          ))}
        </select>
      </div>
      {draft.transition !== 'cut' && (
        <div className="field">
          <label htmlFor={`${id}-length`}>Takes</label>
          <select
            id={`${id}-length`}
            value={draft.transitionMs}
            onChange={(event) => onChange({ ...draft, transitionMs: Number(event.target.value) })}
          >
            {lengthsMs.map((ms) => (
              <option key={ms} value={ms}>
                {ms / 1000} s
              </option>
            ))}
          </select>
        </div>
      )}
      <label className="check">
        <input
          type="checkbox"
          checked={draft.evenLoudness}
          onChange={(event) => onChange({ ...draft, evenLoudness: event.target.checked })}
        />
        Make all parts equally loud
      </label>
      {draft.transition !== 'cut' && (
        <p className="hint join-hint">
          With a transition the pictures around the joins are encoded again; a cut copies what is alike, in seconds.
        </p>
      )}
    </div>
  );
}
