/** What a person may paste to sign in. */
export type Credential =
  /** The one-time code of an admin link. */
  | { readonly kind: 'code'; readonly code: string }
  /** An API token. */
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'nothing' };

/** Reads a link (`https://host/sign-in#code=...`), a bare code, or an API token (a JWT: three parts with dots). */
export function parseCredential(pasted: string): Credential {
  const words = pasted.trim();
  if (words === '') return { kind: 'nothing' };
  const code = codeOfFragment(words.slice(words.indexOf('#')));
  if (words.includes('#') && code !== undefined) return { kind: 'code', code };
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(words)) return { kind: 'token', token: words };
  if (/\s|:\/\//.test(words)) return { kind: 'nothing' };
  return { kind: 'code', code: words };
}

/** The code in a fragment such as `#code=abc`. */
export function codeOfFragment(fragment: string): string | undefined {
  if (!fragment.startsWith('#')) return undefined;
  return new URLSearchParams(fragment.slice(1)).get('code') || undefined;
}
