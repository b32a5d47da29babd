/** Where videos come in: files, dropped anywhere on the page or chosen, and addresses on the web. */
import { useEffect, useId, useRef, useState } from 'react';
import { useFileDrop } from '../parts/file-drop.tsx';
import { UploadIcon } from '../parts/icons.tsx';
import { UploadRows } from '../uploads/upload-rows.tsx';
import type { UploadWish } from '../uploads/uploads.ts';
import { remembersUploads, useUploads } from '../uploads/uploads-context.tsx';
import { ImportForm } from './import-form.tsx';
import { LanguageField } from './language-field.tsx';

export function AddVideos({ first }: { readonly first: boolean }) {
  const id = useId();
  const { uploads, items } = useUploads();
  const [wish, setWish] = useState<UploadWish>({ visibility: 'public', language: undefined });
  const picker = useRef<HTMLInputElement>(null);
  const add = (files: readonly File[]) => uploads.add(files, wish);
  const over = useFileDrop(add, true);
  useEffect(() => {
    if (remembersUploads()) void uploads.lookBack().catch(reportError);
  }, [uploads]);
  const pick = () => picker.current?.click();
  return (
    <>
      <section
        className={`add-media${over ? ' add-media-over' : ''}${first ? ' add-media-first' : ''}`}
        aria-label="Add videos"
      >
        <div className="add-media-drop">
          <UploadIcon />
          <p>{over ? 'Let go to upload' : first ? 'Drop your first video here, or' : 'Drop videos here, or'}</p>
          <div className="actions">
            <button type="button" className="button button-primary" onClick={pick}>
              Choose files
            </button>
            <ImportForm wish={wish} />
          </div>
          <input
            ref={picker}
            type="file"
            accept="video/*,audio/*,.mkv,.ts,.mxf"
            multiple
            hidden
            aria-label="Video files"
            onChange={(event) => {
              add([...(event.target.files ?? [])]);
              event.target.value = ''; // the same file may be chosen again
            }}
          />
        </div>
        <div className="add-media-settings">
          <div className="field">
            <label htmlFor={id}>Who can watch</label>
            <select
              id={id}
              value={wish.visibility}
              onChange={(event) =>
                setWish({ ...wish, visibility: event.target.value === 'private' ? 'private' : 'public' })
              }
            >
              <option value="public">Anyone with the link</option>
              <option value="private">Only links with an expiry</option>
            </select>
          </div>
          <LanguageField
            value={wish.language ?? null}
            onChange={(language) => setWish({ ...wish, language: language ?? undefined })}
          />
        </div>
      </section>
      <UploadRows uploads={uploads} items={items} onPick={pick} />
    </>
  );
}
