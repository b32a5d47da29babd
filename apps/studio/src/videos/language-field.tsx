import { useId } from 'react';
import { languageChoices } from './video-words.ts';

interface LanguageFieldProps {
  /** BCP 47. */
  readonly value: string | null;
  readonly onChange: (language: string | null) => void;
}

/** What is spoken in a video: subtitles are made for it. */
export function LanguageField({ value, onChange }: LanguageFieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>Spoken language</label>
      <select id={id} value={value ?? ''} onChange={(event) => onChange(event.target.value || null)}>
        <option value="">Not said</option>
        {languageChoices(value).map(({ tag, name }) => (
          <option key={tag} value={tag}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}
