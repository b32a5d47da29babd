/** Title, visibility and latency mode of a stream. */
import { type FormEvent, useId, useState } from 'react';
import type { LatencyMode, StreamDraft, Visibility } from '../api/resources.ts';

interface StreamFormProps {
  readonly initial: StreamDraft;
  readonly submit: string;
  readonly busy: boolean;
  readonly autoFocus?: boolean;
  readonly onSubmit: (draft: StreamDraft) => void;
}

const visibilityChoices = [
  { value: 'public', label: 'Public', hint: 'Anyone with the watch link can see it.' },
  { value: 'private', label: 'Private', hint: 'Only links that you create, each with an expiry, can see it.' },
] as const satisfies readonly Choice<Visibility>[];

const latencyChoices = [
  { value: 'low', label: 'Low latency', hint: 'About one second behind. Best for talking with viewers.' },
  { value: 'standard', label: 'Standard', hint: 'A little more delay, calmer on weak networks.' },
] as const satisfies readonly Choice<LatencyMode>[];

export function StreamForm({ initial, submit, busy, autoFocus = false, onSubmit }: StreamFormProps) {
  const titleId = useId();
  const [draft, setDraft] = useState(initial);
  const send = (event: FormEvent) => {
    event.preventDefault();
    onSubmit({ ...draft, title: draft.title.trim() });
  };
  return (
    <form onSubmit={send} className="stack">
      <div className="field">
        <label htmlFor={titleId}>Title</label>
        <input
          id={titleId}
          required
          maxLength={200}
          autoFocus={autoFocus}
          value={draft.title}
          onChange={(event) => setDraft({ ...draft, title: event.target.value })}
        />
      </div>
      <Choices
        legend="Who can watch"
        choices={visibilityChoices}
        value={draft.visibility}
        onChange={(visibility) => setDraft({ ...draft, visibility })}
      />
      <Choices
        legend="Latency"
        choices={latencyChoices}
        value={draft.latency_mode}
        onChange={(latency_mode) => setDraft({ ...draft, latency_mode })}
      />
      <div className="actions">
        <button type="submit" className="button button-primary" disabled={busy || draft.title.trim() === ''}>
          {submit}
        </button>
      </div>
    </form>
  );
}

interface Choice<T extends string> {
  readonly value: T;
  readonly label: string;
  readonly hint: string;
}

interface ChoicesProps<T extends string> {
  readonly legend: string;
  readonly choices: readonly Choice<T>[];
  readonly value: T;
  readonly onChange: (value: T) => void;
}

function Choices<T extends string>({ legend, choices, value, onChange }: ChoicesProps<T>) {
  const name = useId();
  return (
    <fieldset className="choices">
      <legend>{legend}</legend>
      {choices.map((choice) => (
        <label key={choice.value} className="choice">
          <input type="radio" name={name} checked={choice.value === value} onChange={() => onChange(choice.value)} />
          <span>
            <span className="choice-label">{choice.label}</span>
            <span className="hint">{choice.hint}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
