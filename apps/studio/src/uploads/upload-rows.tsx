/** The uploads of this tab: how far each is, how fast, and what can be done about it. */
import { assertNever } from '@millrace/result';
import { byteSize } from '../format/numbers.ts';
import { etaWords } from '../jobs/live-progress.ts';
import { ConfirmButton } from '../parts/confirm-button.tsx';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { Link } from '../routing/router.tsx';
import { bytesPerSecond, remainingMs } from './send-rate.ts';
import { sentBytes, type UploadItem } from './upload-state.ts';
import type { Uploads } from './uploads.ts';

interface UploadRowsProps {
  readonly uploads: Uploads;
  readonly items: readonly UploadItem[];
  /** Opens the file dialog. */
  readonly onPick: () => void;
}

export function UploadRows({ uploads, items, onPick }: UploadRowsProps) {
  if (items.length === 0) return null;
  return (
    <section className="card uploads" aria-label="Uploads">
      <ul className="item-list">
        {items.map((item) => (
          <li key={item.id} className="upload">
            <UploadRow uploads={uploads} item={item} onPick={onPick} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function UploadRow({ uploads, item, onPick }: Omit<UploadRowsProps, 'items'> & { readonly item: UploadItem }) {
  const { state } = item;
  const percent = item.sizeBytes === 0 ? 0 : (sentBytes(item) / item.sizeBytes) * 100;
  const over = state.kind === 'done' || state.kind === 'failed';
  return (
    <>
      <div className="upload-head">
        <span className="upload-name">{item.fileName}</span>
        <span className="hint">{wordsOf(item)}</span>
      </div>
      {!over && (
        <ProgressBar
          value={state.kind === 'starting' ? undefined : percent}
          label={`Upload of ${item.fileName}`}
          tone={state.kind === 'sending' ? undefined : 'quiet'}
        />
      )}
      {state.kind === 'failed' && (
        <p className="upload-reason" role="alert">
          {state.reason}
        </p>
      )}
      <div className="item-actions">
        {(state.kind === 'sending' || state.kind === 'interrupted' || state.kind === 'queued') && (
          <SmallButton label="Pause" of={item} onClick={() => uploads.pause(item.id)} />
        )}
        {state.kind === 'paused' && <SmallButton label="Resume" of={item} onClick={() => uploads.resume(item.id)} />}
        {state.kind === 'interrupted' && (
          <SmallButton label="Try now" of={item} onClick={() => uploads.resume(item.id)} />
        )}
        {state.kind === 'failed' && <SmallButton label="Try again" of={item} onClick={() => uploads.resume(item.id)} />}
        {state.kind === 'unfinished' && <SmallButton label="Choose the file again" of={item} onClick={onPick} />}
        {state.kind === 'done' && item.videoId !== undefined && (
          <Link className="button button-small" to={{ kind: 'video', videoId: item.videoId }}>
            Open<span className="visually-hidden"> {item.fileName}</span>
          </Link>
        )}
        {over ? (
          <SmallButton label="Dismiss" of={item} onClick={() => uploads.dismiss(item.id)} />
        ) : (
          <ConfirmButton
            label="Cancel"
            accessibleName={`Cancel ${item.fileName}`}
            className="button button-small button-danger"
            heading={`Cancel the upload of “${item.fileName}”?`}
            confirm="Cancel the upload"
            dismiss="Go on"
            onConfirm={async () => {
              await uploads.cancel(item.id);
              return undefined;
            }}
          >
            <p>What was sent so far is deleted.</p>
          </ConfirmButton>
        )}
      </div>
    </>
  );
}

interface SmallButtonProps {
  readonly label: string;
  readonly of: UploadItem;
  readonly onClick: () => void;
}

function SmallButton({ label, of, onClick }: SmallButtonProps) {
  return (
    <button type="button" className="button button-small" onClick={onClick} aria-label={`${label}: ${of.fileName}`}>
      {label}
    </button>
  );
}

function wordsOf({ state, sizeBytes }: UploadItem): string {
  const of = (bytes: number) => `${byteSize(bytes)} of ${byteSize(sizeBytes)}`;
  switch (state.kind) {
    case 'queued':
      return `${byteSize(sizeBytes)}, waits for the others`;
    case 'starting':
      return 'Starting';
    case 'sending': {
      const rate = bytesPerSecond(state.rate);
      const left = remainingMs(state.rate, sizeBytes);
      return [of(state.sentBytes), rate === undefined ? '' : `${byteSize(Math.round(rate))}/s`, etaWords(left ?? null)]
        .filter(Boolean)
        .join(' · ');
    }
    case 'paused':
      return `Paused at ${of(state.sentBytes)}`;
    case 'interrupted':
      return `No connection at ${of(state.sentBytes)}: goes on by itself when it is back`;
    case 'done':
      return `${byteSize(sizeBytes)} uploaded, processing begins`;
    case 'failed':
      return byteSize(sizeBytes);
    case 'unfinished':
      return `Unfinished from an earlier visit, ${of(state.sentBytes)} are there: choose the same file to go on`;
    default:
      return assertNever(state);
  }
}
