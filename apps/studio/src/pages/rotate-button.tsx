/** Replaces a key by a new one while the old one goes on working for a while. */
import { useId, useRef, useState } from 'react';
import type { NewStreamKey } from '../api/resources.ts';
import { ErrorNotice } from '../parts/notice.tsx';
import { useStudio } from '../session/context.tsx';
import { useAction } from './use-call.ts';

interface RotateButtonProps {
  readonly streamId: string;
  readonly keyId: string;
  readonly label: string;
  readonly onRotated: (key: NewStreamKey) => void;
}

/** How long the old key is accepted beside the new one, s. */
const overlaps = [
  { seconds: 0, label: 'not at all: cut it off now' },
  { seconds: 3_600, label: 'for 1 hour' },
  { seconds: 86_400, label: 'for 1 day' },
  { seconds: 604_800, label: 'for 7 days' },
] as const;

export function RotateButton({ streamId, keyId, label, onRotated }: RotateButtonProps) {
  const { api } = useStudio();
  const { busy, error, run } = useAction();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [overlapS, setOverlapS] = useState<number>(86_400);

  const rotate = async () => {
    const key = await run(() => api.rotateKey(streamId, keyId, overlapS));
    if (key === undefined) return;
    dialog.current?.close();
    onRotated(key);
  };

  return (
    <>
      <button
        type="button"
        className="button button-small"
        aria-label={`Rotate ${label}`}
        onClick={() => dialog.current?.showModal()}
      >
        Rotate
      </button>
      <dialog ref={dialog} aria-labelledby={`${id}-heading`}>
        <h2 id={`${id}-heading`}>Rotate “{label}”</h2>
        <p>
          You get a new key. So that nobody is cut off, the old one can go on working until the encoder has the new one.
        </p>
        <div className="field">
          <label htmlFor={id}>The old key works on</label>
          <select id={id} value={overlapS} onChange={(event) => setOverlapS(Number(event.target.value))}>
            {overlaps.map((overlap) => (
              <option key={overlap.seconds} value={overlap.seconds}>
                {overlap.label}
              </option>
            ))}
          </select>
        </div>
        <ErrorNotice error={error} />
        <div className="actions">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="button" className="button button-primary" disabled={busy} onClick={() => void rotate()}>
            Make the new key
          </button>
        </div>
      </dialog>
    </>
  );
}
