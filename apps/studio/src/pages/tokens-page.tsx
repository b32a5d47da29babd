/** API tokens of the owner: for programs, and for people with fewer rights. */
import { type FormEvent, useCallback, useState } from 'react';
import { type ApiToken, type NewApiToken, type Role, roles } from '../api/resources.ts';
import { dateTime, relativeTime } from '../format/numbers.ts';
import { ConfirmButton } from '../parts/confirm-button.tsx';
import { CopyField } from '../parts/copy-field.tsx';
import { ErrorNotice, Notice } from '../parts/notice.tsx';
import { useStudio } from '../session/context.tsx';
import { useAction, useLoaded } from './use-call.ts';

const roleWords: Readonly<Record<Role, string>> = {
  admin: 'Admin: everything, these tokens included',
  broadcaster: 'Broadcaster: streams, keys and links',
  analyst: 'Analyst: reads streams and figures',
  viewer: 'Viewer: reads only',
};

const lifetimes = [
  { days: 7, label: '7 days' },
  { days: 90, label: '90 days' },
  { days: 366, label: '1 year' },
] as const;

export function TokensPage() {
  const { api } = useStudio();
  const tokens = useLoaded(useCallback((signal) => api.listTokens(signal), [api]));
  const [fresh, setFresh] = useState<NewApiToken | undefined>(undefined);
  const revoke = async (token: ApiToken) => {
    const answer = await api.revokeToken(token.id);
    if (answer.ok) tokens.refresh();
    return answer.ok ? undefined : answer.error;
  };
  const nowMs = Date.now();
  const usable = (tokens.value?.items ?? []).filter((token) => isUsable(token, nowMs));

  return (
    <div className="narrow stack">
      <h1>API tokens</h1>
      <p className="hint">
        For scripts and for people who should do less than you. The API is described at <a href="/docs">/docs</a>.
      </p>
      <ErrorNotice error={tokens.error} />
      {fresh !== undefined && (
        <section className="card stack" aria-labelledby="fresh-heading">
          <h2 id="fresh-heading">New token: {fresh.label}</h2>
          <CopyField label="Token" value={fresh.token} secret />
          <Notice tone="warning">Copy the token now: it is shown only this once.</Notice>
          <div className="actions">
            <button type="button" className="button" onClick={() => setFresh(undefined)}>
              I have copied it
            </button>
          </div>
        </section>
      )}
      <section className="card stack">
        <h2>Create a token</h2>
        <TokenForm
          onCreated={(token) => {
            setFresh(token);
            tokens.refresh();
          }}
        />
      </section>
      {usable.length > 0 && (
        <section className="card stack">
          <h2>In use</h2>
          <ul className="item-list">
            {usable.map((token) => (
              <li key={token.id} className="item">
                <div>
                  <span className="item-name">{token.label}</span> <span className="badge">{token.role}</span>
                  <p className="hint">
                    Created {relativeTime(token.created_at, nowMs)} · expires {dateTime(token.expires_at)}
                  </p>
                </div>
                <ConfirmButton
                  label="Revoke"
                  accessibleName={`Revoke ${token.label}`}
                  heading={`Revoke “${token.label}”?`}
                  confirm="Revoke token"
                  className="button button-small button-danger"
                  onConfirm={() => revoke(token)}
                >
                  <p>Whatever uses this token is refused from now on. If it is your own sign-in, you are signed out.</p>
                </ConfirmButton>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function isUsable(token: ApiToken, nowMs: number): boolean {
  return token.revoked_at === null && Date.parse(token.expires_at) > nowMs;
}

function TokenForm({ onCreated }: { readonly onCreated: (token: NewApiToken) => void }) {
  const { api } = useStudio();
  const { busy, error, run } = useAction();
  const [label, setLabel] = useState('');
  const [role, setRole] = useState<Role>('broadcaster');
  const [days, setDays] = useState<number>(90);
  const create = async (event: FormEvent) => {
    event.preventDefault();
    const token = await run(() => api.createToken(label.trim(), role, days * 86_400));
    if (token === undefined) return;
    setLabel('');
    onCreated(token);
  };
  return (
    <form className="stack" onSubmit={(event) => void create(event)}>
      <ErrorNotice error={error} />
      <div className="field">
        <label htmlFor="token-label">Label</label>
        <input
          id="token-label"
          value={label}
          maxLength={200}
          required
          placeholder="Scoreboard script"
          onChange={(event) => setLabel(event.target.value)}
        />
      </div>
      <div className="field">
        <label htmlFor="token-role">Role</label>
        <select
          id="token-role"
          value={role}
          onChange={(event) => setRole(roles.find((r) => r === event.target.value) ?? role)}
        >
          {roles.map((one) => (
            <option key={one} value={one}>
              {roleWords[one]}
            </option>
          ))}
        </select>
      </div>
      <div className="field">
        <label htmlFor="token-days">Valid for</label>
        <select id="token-days" value={days} onChange={(event) => setDays(Number(event.target.value))}>
          {lifetimes.map((lifetime) => (
            <option key={lifetime.days} value={lifetime.days}>
              {lifetime.label}
            </option>
          ))}
        </select>
      </div>
      <div className="actions">
        <button type="submit" className="button button-primary" disabled={busy || label.trim() === ''}>
          Create token
        </button>
      </div>
    </form>
  );
}
