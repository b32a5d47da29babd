/** Signing in: by the one-time link that the server prints, or by pasting a link, a code or an API token. */
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { Brand } from '../parts/brand.tsx';
import { ErrorNotice, Notice } from '../parts/notice.tsx';
import { navigate, useRoute } from '../routing/router.tsx';
import { useStudio } from '../session/context.tsx';
import { type Credential, codeOfFragment, parseCredential } from '../session/credential.ts';
import { useAction } from './use-call.ts';

export function SignInPage() {
  const { api, store } = useStudio();
  const route = useRoute();
  const { busy, error, run } = useAction();
  const [pasted, setPasted] = useState('');
  const [unreadable, setUnreadable] = useState(false);
  const usedLink = useRef(false);

  const signIn = async (credential: Credential) => {
    setUnreadable(credential.kind === 'nothing');
    if (credential.kind === 'nothing') return;
    const session = await run(async () => {
      if (credential.kind === 'code') return api.signIn(credential.code);
      const me = await api.me(credential.token);
      return me.ok ? { ok: true, value: { ...me.value, token: credential.token } } : me;
    });
    if (session === undefined) return;
    store.signIn(session);
    if (route.kind === 'sign-in') navigate({ kind: 'streams' }, { replace: true });
  };

  useEffect(() => {
    const code = codeOfFragment(location.hash);
    if (code === undefined || usedLink.current) return;
    usedLink.current = true;
    // The code is spent by using it: do not leave it in the address bar or the history.
    history.replaceState(null, '', location.pathname);
    void signIn({ kind: 'code', code });
  });

  const submit = (event: FormEvent) => {
    event.preventDefault();
    void signIn(parseCredential(pasted));
  };

  return (
    <main className="sign-in" id="page">
      <Brand />
      <form className="card" onSubmit={submit}>
        <h1>Sign in</h1>
        {store.signedOutBecause === 'expired' && error === undefined && (
          <Notice tone="warning">Your sign-in has expired or was revoked.</Notice>
        )}
        {error?.kind === 'signed-out' || (error?.kind === 'refused' && error.status < 500 && error.status !== 429) ? (
          <Notice tone="error">
            This link or token is not valid. A link works once and for a short time; the server prints a new one when
            you run <code>npm run admin-link</code>.
          </Notice>
        ) : (
          <ErrorNotice error={error} />
        )}
        <div className="field">
          <label htmlFor="credential">Sign-in link or API token</label>
          <input
            id="credential"
            className="mono"
            value={pasted}
            onChange={(event) => setPasted(event.target.value)}
            autoComplete="off"
            spellCheck={false}
            aria-invalid={unreadable}
            aria-describedby="credential-hint"
            placeholder={`${location.origin}/sign-in#code=…`}
          />
          <p className="hint" id="credential-hint">
            {unreadable
              ? 'This is neither a sign-in link nor a token. Paste the whole line.'
              : 'Millrace prints the link in its terminal when it starts for the first time.'}
          </p>
        </div>
        <button type="submit" className="button button-primary" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </main>
  );
}
