/** A value to copy, with its label. */
import { useEffect, useId, useRef, useState } from 'react';
import { CheckIcon, CopyIcon } from './icons.tsx';

interface CopyFieldProps {
  readonly label: string;
  readonly value: string;
  /** Shown as dots until asked for, so that a screen share does not give it away. */
  readonly secret?: boolean;
}

export function CopyField({ label, value, secret = false }: CopyFieldProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [shown, setShown] = useState(!secret);
  const [copied, setCopied] = useState<'yes' | 'select' | undefined>(undefined);
  useEffect(() => {
    if (copied === undefined) return;
    const timer = setTimeout(() => setCopied(undefined), 2_500);
    return () => clearTimeout(timer);
  }, [copied]);

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value);
      setCopied('yes');
    } catch {
      // No clipboard without HTTPS or permission: select it, so that Ctrl+C does it.
      setShown(true);
      input.current?.focus();
      input.current?.select();
      setCopied('select');
    }
  };

  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className={secret ? 'copy-field copy-field-secret' : 'copy-field'}>
        <input
          id={id}
          ref={input}
          type={shown ? 'text' : 'password'}
          className="mono"
          value={value}
          readOnly
          autoComplete="off"
          spellCheck={false}
          onFocus={(event) => event.target.select()}
        />
        {secret && (
          <button
            type="button"
            className="button"
            onClick={() => setShown(!shown)}
            aria-label={`${shown ? 'Hide' : 'Show'} ${label}`}
          >
            {shown ? 'Hide' : 'Show'}
          </button>
        )}
        <button type="button" className="button" onClick={() => void copy()} aria-label={`Copy ${label}`}>
          {copied === 'yes' ? <CheckIcon /> : <CopyIcon />}
          <span aria-live="polite">{copied === 'yes' ? 'Copied' : copied === 'select' ? 'Press Ctrl+C' : 'Copy'}</span>
        </button>
      </div>
    </div>
  );
}
