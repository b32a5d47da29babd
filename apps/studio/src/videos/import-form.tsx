/** A video from an address on the web. */
import { type FormEvent, useId, useRef, useState } from 'react';
import { useAction } from '../pages/use-call.ts';
import { ErrorNotice } from '../parts/notice.tsx';
import { navigate } from '../routing/router.tsx';
import { titleOfFile } from '../uploads/upload-state.ts';
import type { UploadWish } from '../uploads/uploads.ts';
import { useVideoCalls } from './use-videos.ts';

export function ImportForm({ wish }: { readonly wish: UploadWish }) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const calls = useVideoCalls();
  const { busy, error, run } = useAction();
  const [url, setUrl] = useState('');
  const [title, setTitle] = useState('');
  const [key, setKey] = useState('');
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const { visibility, language } = wish;
    const draft = { title: title.trim() || titleOfUrl(url), url: url.trim(), visibility, language };
    const created = await run(() => calls.create(draft, key));
    if (created === undefined) return;
    dialog.current?.close();
    navigate({ kind: 'video', videoId: created.video.video_id });
  };
  return (
    <>
      <button
        type="button"
        className="button"
        onClick={() => {
          // Pressed twice without an answer in between, it is one import.
          setKey(crypto.randomUUID?.() ?? `import-${Date.now()}`);
          dialog.current?.showModal();
        }}
      >
        Import from a URL
      </button>
      <dialog ref={dialog} aria-labelledby={`${id}-heading`}>
        <h2 id={`${id}-heading`}>Import from a URL</h2>
        <form onSubmit={(event) => void send(event)} className="stack">
          <div className="field">
            <label htmlFor={`${id}-url`}>Address of the video file</label>
            <input
              id={`${id}-url`}
              type="url"
              required
              maxLength={4096}
              placeholder="https://example.org/talk.mp4"
              aria-describedby={`${id}-hint`}
              value={url}
              onChange={(event) => setUrl(event.target.value)}
            />
            <p className="hint" id={`${id}-hint`}>
              A file that anybody can download by http or https, not a page with a player.
            </p>
          </div>
          <div className="field">
            <label htmlFor={`${id}-title`}>Title</label>
            <input
              id={`${id}-title`}
              maxLength={200}
              placeholder={url === '' ? undefined : titleOfUrl(url)}
              value={title}
              onChange={(event) => setTitle(event.target.value)}
            />
          </div>
          <ErrorNotice error={error} />
          <div className="actions">
            <button type="button" className="button" onClick={() => dialog.current?.close()}>
              Cancel
            </button>
            <button type="submit" className="button button-primary" disabled={busy || url.trim() === ''}>
              Import
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}

function titleOfUrl(url: string): string {
  try {
    const last = new URL(url).pathname.split('/').filter(Boolean).at(-1) ?? '';
    return titleOfFile(decodeURIComponent(last));
  } catch {
    return titleOfFile('');
  }
}
