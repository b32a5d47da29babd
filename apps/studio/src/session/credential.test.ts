import { describe, expect, it } from 'vitest';
import { parseCredential } from './credential.ts';
import { SessionStore } from './stored-session.ts';

describe('what is pasted to sign in', () => {
  it('is a link, a code or a token, with the spaces around it', () => {
    expect(parseCredential(' http://host:8080/sign-in#code=ab-c_1 \n')).toEqual({ kind: 'code', code: 'ab-c_1' });
    expect(parseCredential('ab-c_1')).toEqual({ kind: 'code', code: 'ab-c_1' });
    expect(parseCredential('eyJh.eyJz.c2-_ln')).toEqual({ kind: 'token', token: 'eyJh.eyJz.c2-_ln' });
  });

  it('is nothing when it is neither', () => {
    for (const pasted of ['', '  ', 'two words', 'http://host/sign-in', 'http://host/sign-in#token=x']) {
      expect(parseCredential(pasted), pasted).toEqual({ kind: 'nothing' });
    }
  });
});

describe('the session', () => {
  const session = { token: 't', role: 'admin', owner_id: 'own_1', expires_at: '2030-01-01T00:00:00Z' } as const;
  const memory = () => {
    const held = new Map<string, string>();
    return {
      held,
      getItem: (key: string) => held.get(key) ?? null,
      setItem: (key: string, value: string) => void held.set(key, value),
      removeItem: (key: string) => void held.delete(key),
    };
  };

  it('outlives the page, and ends with signing out', () => {
    const storage = memory();
    new SessionStore(storage).signIn(session);
    const next = new SessionStore(storage);
    expect(next.session).toEqual(session);
    next.signOut('expired');
    expect(next.signedOutBecause).toBe('expired');
    expect(storage.held.size).toBe(0);
  });

  it('of another version or of blocked storage is no session, and no failure', () => {
    const storage = memory();
    storage.setItem('millrace.session', '{"token":5}');
    expect(new SessionStore(storage).session).toBeUndefined();
    const blocked = () => {
      throw new Error('blocked');
    };
    const store = new SessionStore({ getItem: blocked, setItem: blocked, removeItem: blocked });
    store.signIn(session);
    expect(store.session).toEqual(session);
    store.signOut('signed-out');
    expect(store.session).toBeUndefined();
  });
});
