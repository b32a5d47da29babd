/** A button that asks once more, in a dialog, before it does what cannot be undone. */
import { type ReactNode, useId, useRef, useState } from 'react';
import type { ApiError } from '../api/api-error.ts';
import { ErrorNotice } from './notice.tsx';

interface ConfirmButtonProps {
  readonly label: string;
  readonly heading: string;
  readonly children: ReactNode;
  /** Words on the button that does it. */
  readonly confirm: string;
  /** Words on the button that leaves everything as it is. */
  readonly dismiss?: string;
  /** Does it; an error keeps the dialog open and is shown in it. */
  readonly onConfirm: () => Promise<ApiError | undefined>;
  readonly accessibleName?: string;
  readonly className?: string;
}

export function ConfirmButton(props: ConfirmButtonProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const headingId = useId();
  const [error, setError] = useState<ApiError | undefined>(undefined);
  const [busy, setBusy] = useState(false);

  const open = () => {
    setError(undefined);
    dialog.current?.showModal();
  };
  const carryOut = async () => {
    setBusy(true);
    const failed = await props.onConfirm();
    setBusy(false);
    setError(failed);
    if (failed === undefined) dialog.current?.close();
  };

  return (
    <>
      <button
        type="button"
        className={props.className ?? 'button button-danger'}
        onClick={open}
        aria-label={props.accessibleName}
      >
        {props.label}
      </button>
      <dialog ref={dialog} aria-labelledby={headingId}>
        <h2 id={headingId}>{props.heading}</h2>
        {props.children}
        <ErrorNotice error={error} />
        <div className="actions">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            {props.dismiss ?? 'Cancel'}
          </button>
          <button type="button" className="button button-danger-strong" disabled={busy} onClick={() => void carryOut()}>
            {props.confirm}
          </button>
        </div>
      </dialog>
    </>
  );
}
