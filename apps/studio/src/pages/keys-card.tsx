/** The stream's keys: add, rotate with an overlap, revoke. */
import { type FormEvent, useState } from 'react';
import type { NewStreamKey, StreamKey } from '../api/resources.ts';
import { dateTime, relativeTime } from '../format/numbers.ts';
import { ConfirmButton } from '../parts/confirm-button.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { useStudio } from '../session/context.tsx';
import { RotateButton } from './rotate-button.tsx';
import { type Loaded, useAction } from './use-call.ts';

interface KeysCardProps {
  readonly streamId: string;
  readonly keys: Loaded<{ readonly items: readonly StreamKey[] }>;
  readonly mayChange: boolean;
  readonly onFreshKey: (key: NewStreamKey) => void;
}

export function KeysCard({ streamId, keys, mayChange, onFreshKey }: KeysCardProps) {
  const { api } = useStudio();
  const { busy, error, run } = useAction();
  const [label, setLabel] = useState('');
  const nowMs = Date.now();
  const usable = (keys.value?.items ?? []).filter((key) => isUsable(key, nowMs));
  const gone = (keys.value?.items ?? []).filter((key) => !isUsable(key, nowMs));

  const fresh = (key: NewStreamKey) => {
    keys.refresh();
    onFreshKey(key);
    document.getElementById('encoder-heading')?.scrollIntoView({ block: 'start' });
  };
  const add = async (event: FormEvent) => {
    event.preventDefault();
    const key = await run(() => api.createKey(streamId, label.trim()));
    if (key === undefined) return;
    setLabel('');
    fresh(key);
  };
  const revoke = async (key: StreamKey) => {
    const answer = await api.revokeKey(streamId, key.id);
    if (answer.ok) keys.refresh();
    return answer.ok ? undefined : answer.error;
  };

  return (
    <section className="card stack" aria-labelledby="keys-heading">
      <h2 id="keys-heading">Stream keys</h2>
      <ErrorNotice error={keys.error ?? error} />
      {keys.value !== undefined && usable.length === 0 && (
        <p className="hint">No key: nobody can broadcast here yet.</p>
      )}
      <ul className="item-list">
        {usable.map((key) => (
          <li key={key.id} className="item">
            <div>
              <span className="item-name">{key.label}</span> <code>…{key.last4}</code>
              <p className="hint">{keyFacts(key, nowMs)}</p>
            </div>
            {mayChange && (
              <div className="item-actions">
                <RotateButton streamId={streamId} keyId={key.id} label={key.label} onRotated={fresh} />
                <ConfirmButton
                  label="Revoke"
                  accessibleName={`Revoke ${key.label}`}
                  heading={`Revoke “${key.label}”?`}
                  confirm="Revoke key"
                  className="button button-small button-danger"
                  onConfirm={() => revoke(key)}
                >
                  <p>An encoder that uses this key is cut off within a second and cannot come back with it.</p>
                </ConfirmButton>
              </div>
            )}
          </li>
        ))}
      </ul>
      {gone.length > 0 && (
        <details>
          <summary>
            {gone.length} revoked or expired {gone.length === 1 ? 'key' : 'keys'}
          </summary>
          <ul className="item-list">
            {gone.map((key) => (
              <li key={key.id} className="item hint">
                {key.label} …{key.last4}, {key.revoked_at === null ? 'expired' : 'revoked'}{' '}
                {relativeTime(key.revoked_at ?? key.expires_at ?? key.created_at, nowMs)}
              </li>
            ))}
          </ul>
        </details>
      )}
      {mayChange && (
        <form className="inline-form" onSubmit={(event) => void add(event)}>
          <div className="field">
            <label htmlFor="key-label">Label for another key</label>
            <input
              id="key-label"
              value={label}
              maxLength={200}
              placeholder="Backup encoder"
              onChange={(event) => setLabel(event.target.value)}
            />
          </div>
          <button type="submit" className="button" disabled={busy || label.trim() === ''}>
            Add key
          </button>
        </form>
      )}
    </section>
  );
}

function isUsable(key: StreamKey, nowMs: number): boolean {
  return key.revoked_at === null && (key.expires_at === null || Date.parse(key.expires_at) > nowMs);
}

function keyFacts(key: StreamKey, nowMs: number): string {
  const used = key.last_used_at === null ? 'never used' : `last used ${relativeTime(key.last_used_at, nowMs)}`;
  const until = key.expires_at === null ? '' : ` · replaced, works until ${dateTime(key.expires_at)}`;
  return `Created ${relativeTime(key.created_at, nowMs)} · ${used}${until}`;
}
