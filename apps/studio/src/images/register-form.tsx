/** An image whose picture is not on this computer: it is at an address on the web, or follows later, or a generator is to make it. */
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
  const [url, setUrl] = useState('');
  const [prompt, setPrompt] = useState('');
  const wrong = name !== '' && !isImageName(name.trim());
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const [words, address] = [prompt.trim(), url.trim()];
    const body = {
      ...{ img_name: name.trim(), source_type: address === '' ? 'generated' : 'import' },
      ...(words === '' ? {} : { prompt: words }),
      ...(address === '' ? {} : { url: address }),
    };
    const image = await run(() => calls.register(body));
    if (image === undefined) return;
    dialog.current?.close();
    onAdded();
    navigate({ kind: 'image', name: image.img_name });
  };
  return (
    <>
      <button type="button" className="button" onClick={() => dialog.current?.showModal()}>
        By address or name
      </button>
      <dialog ref={dialog} aria-labelledby={`${id}-heading`}>
        <h2 id={`${id}-heading`}>Register an image</h2>
        <p className="hint">
          With the address of a picture on the web, or without: then the picture follows later, or an external generator
          makes it from words.
        </p>
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
            <label htmlFor={`${id}-url`}>Address of the picture</label>
            <input
              id={`${id}-url`}
              type="url"
              maxLength={4096}
              placeholder="https://example.org/sunset.jpg"
              value={url}
              onChange={(event) => setUrl(event.target.value)}
            />
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
