/** Where pictures come in: dropped anywhere on the page or chosen; and names without a picture, for a generator to fill. */
import { useRef, useState } from 'react';
import { errorText } from '../api/api-error.ts';
import { useFileDrop } from '../parts/file-drop.tsx';
import { UploadIcon } from '../parts/icons.tsx';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { Link } from '../routing/router.tsx';
import { useImageCalls } from './image-calls.ts';
import { imageNameOf, nextImageName } from './image-name.ts';
import { RegisterForm } from './register-form.tsx';

interface AddedImage {
  readonly key: number;
  readonly name: string;
  readonly state: 'sending' | 'done' | 'failed';
  readonly reason?: string;
}

interface AddImagesProps {
  readonly first: boolean;
  readonly onAdded: () => void;
}

/** A name that is taken is tried with a number at its end, so often. */
const mostTries = 20;
/** More pictures at once are told of in one row. */
const mostRows = 6;
let keys = 0;

export function AddImages({ first, onAdded }: AddImagesProps) {
  const calls = useImageCalls();
  const picker = useRef<HTMLInputElement>(null);
  const [added, setAdded] = useState<readonly AddedImage[]>([]);
  const change = (key: number, to: Partial<AddedImage>) =>
    setAdded((before) => before.map((one) => (one.key === key ? { ...one, ...to } : one)));

  const send = async (file: File, key: number) => {
    let name = imageNameOf(file.name);
    for (let i = 0; i < mostTries; i++) {
      change(key, { name });
      const answer = await calls.upload(name, file);
      if (answer.ok) {
        change(key, { state: 'done' });
        return onAdded();
      }
      const { error } = answer;
      const taken =
        error.kind === 'refused' &&
        error.status === 409 &&
        /such an image|exists|taken/i.test(`${error.title} ${error.detail}`);
      if (!taken) return change(key, { state: 'failed', reason: errorText(error) });
      name = nextImageName(name);
    }
    change(key, { state: 'failed', reason: 'Every name like this one is taken. Rename the file.' });
  };
  const add = async (files: readonly File[]) => {
    const batch = files.map((file) => ({ file, key: keys++ }));
    const news = batch.map(({ file, key }) => ({ key, name: file.name, state: 'sending' as const }));
    setAdded((before) => [...before.filter((one) => one.state !== 'done'), ...news]);
    // One after the other: pictures are small, and names that follow each other stay in order.
    for (const { file, key } of batch) await send(file, key);
  };
  const over = useFileDrop((files) => void add(files), true);
  return (
    <>
      <section
        className={`add-media${over ? ' add-media-over' : ''}${first ? ' add-media-first' : ''}`}
        aria-label="Add images"
      >
        <div className="add-media-drop">
          <UploadIcon />
          <p>{over ? 'Let go to upload' : first ? 'Drop your first picture here, or' : 'Drop pictures here, or'}</p>
          <div className="actions">
            <button type="button" className="button button-primary" onClick={() => picker.current?.click()}>
              Choose pictures
            </button>
            <RegisterForm onAdded={onAdded} />
          </div>
          <input
            ref={picker}
            type="file"
            accept="image/jpeg,image/png,image/webp,image/gif"
            multiple
            hidden
            aria-label="Picture files"
            onChange={(event) => {
              void add([...(event.target.files ?? [])]);
              event.target.value = '';
            }}
          />
        </div>
      </section>
      {added.length > 0 && (
        <section className="card uploads" aria-label="Added pictures">
          {added.length > mostRows && <AddedTogether added={added} onDismiss={() => setAdded([])} />}
          <ul className="item-list">
            {rowsOf(added).map((one) => (
              <li key={one.key} className="upload">
                <AddedRow added={one} onDismiss={() => setAdded(added.filter(({ key }) => key !== one.key))} />
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

/** Of many pictures those that failed, and the one on its way; the others are in the list below. */
function rowsOf(added: readonly AddedImage[]): readonly AddedImage[] {
  if (added.length <= mostRows) return added;
  const now = added.find(({ state }) => state === 'sending');
  return added.filter((one) => one.state === 'failed' || one === now);
}

function AddedTogether({
  added,
  onDismiss,
}: {
  readonly added: readonly AddedImage[];
  readonly onDismiss: () => void;
}) {
  const count = (state: AddedImage['state']) => added.filter((one) => one.state === state).length;
  const [done, failed] = [count('done'), count('failed')];
  const over = done + failed === added.length;
  return (
    <div className="upload">
      <div className="upload-head">
        <span className="upload-name" role="status">
          {done} of {added.length} pictures uploaded{failed > 0 && `, ${failed} not`}
        </span>
        {!over && <span className="hint">Keep this page open</span>}
      </div>
      {over ? (
        <div className="item-actions">
          <button type="button" className="button button-small" onClick={onDismiss}>
            Dismiss
          </button>
        </div>
      ) : (
        <ProgressBar value={(100 * (done + failed)) / added.length} label="Upload of all pictures" />
      )}
    </div>
  );
}

function AddedRow({ added, onDismiss }: { readonly added: AddedImage; readonly onDismiss: () => void }) {
  const { name, state, reason } = added;
  return (
    <>
      <div className="upload-head">
        <span className="upload-name">{name}</span>
        {state === 'done' && <span className="hint">Uploaded</span>}
      </div>
      {state === 'sending' && <ProgressBar value={undefined} label={`Upload of ${name}`} />}
      {state === 'failed' && (
        <p className="upload-reason" role="alert">
          {reason}
        </p>
      )}
      {state !== 'sending' && (
        <div className="item-actions">
          {state === 'done' && (
            <Link className="button button-small" to={{ kind: 'image', name }}>
              Make a video<span className="visually-hidden"> of {name}</span>
            </Link>
          )}
          <button type="button" className="button button-small" onClick={onDismiss} aria-label={`Dismiss ${name}`}>
            Dismiss
          </button>
        </div>
      )}
    </>
  );
}
