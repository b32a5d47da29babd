/** An image without a picture: a name, and what a generator is to make of it. */
import { type FormEvent, useId, useRef, useState } from 'react';
import { useAction } from '../pages/use-call.ts';
import { ErrorNotice } from '../parts/notice.tsx';
import { navigate } from '../routing/router.tsx';
import { useImageCalls } from './image-calls.ts';
import { isImageName } from './image-name.ts';

export function RegisterForm({ onAdded }: { readonly onAdded: () => void }) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const calls = useImageCalls();
  const { busy, error, run } = useAction();
  const [name, setName] = useState('');
  const [prompt, setPrompt] = useState('');
  const wrong = name !== '' && !isImageName(name.trim());
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const words = prompt.trim();
    const body = { img_name: name.trim(), source_type: 'generated', ...(words === '' ? {} : { prompt: words }) };
    const image = await run(() => calls.register(body));
    if (image === undefined) return;
    dialog.current?.close();
    onAdded();
    navigate({ kind: 'image', name: image.img_name });
  };
  return (
    <>
      <button type="button" className="button" onClick={() => dialog.current?.showModal()}>
        Register a name
      </button>
      <dialog ref={dialog} aria-labelledby={`${id}-heading`}>
        <h2 id={`${id}-heading`}>Register an image by name</h2>
        <p className="hint">For a picture that follows later, or that an external generator makes from words.</p>
        <form className="stack" onSubmit={(event) => void send(event)}>
          <div className="field">
            <label htmlFor={`${id}-name`}>Name</label>
            <input
              id={`${id}-name`}
              required
              maxLength={128}
              placeholder="sunset-01.jpg"
              value={name}
              aria-invalid={wrong}
              aria-describedby={`${id}-rule`}
              onChange={(event) => setName(event.target.value)}
            />
            <p className="hint" id={`${id}-rule`}>
              Letters, digits, “.”, “_” and “-”.
            </p>
          </div>
          <div className="field">
            <label htmlFor={`${id}-prompt`}>What it shows</label>
            <textarea
              id={`${id}-prompt`}
              rows={3}
              maxLength={4000}
              value={prompt}
              onChange={(event) => setPrompt(event.target.value)}
            />
          </div>
          <ErrorNotice error={error} />
          <div className="actions">
            <button type="button" className="button" onClick={() => dialog.current?.close()}>
              Cancel
            </button>
            <button type="submit" className="button button-primary" disabled={busy || name.trim() === '' || wrong}>
              Register
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
