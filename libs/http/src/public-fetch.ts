/**
 * Requests to URLs that users gave. They may not be a way into our own networks (SSRF), so a name is resolved once, every address it
 * has is checked, and the connection goes to one that was checked: a name that answers differently the second time gains nothing.
 * Each redirect is a new URL and goes through the same door.
 */
import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import { err, ok, type Result } from '@millrace/result';
import { type AllowedNetworks, mayReach } from './public-address.ts';

export type PublicFetchFailure =
  /** The URL, or where it leads, is none that may be asked. Repeating does not help. */
  | { readonly kind: 'refused'; readonly message: string }
  /** No answer, or it broke off. */
  | { readonly kind: 'unreachable'; readonly message: string };

export interface PublicRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal: AbortSignal;
  /** Redirects that are followed; default 5. A POST follows none. */
  readonly redirects?: number;
  /** Longest wait for the answer's head, ms; default 15 000. */
  readonly answerMs?: number;
  /** Longest pause within the answer, ms; default 30 000. */
  readonly silenceMs?: number;
}

export interface PublicAnswer extends Disposable {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** To be read once; throws when the connection breaks or is silent for too long. Leaving the loop ends it. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface PublicFetch {
  /** Why this URL will not be asked, without asking anybody; undefined: it may be tried. */
  refuse(url: string): string | undefined;
  fetch(url: string, request: PublicRequest): Promise<Result<PublicAnswer, PublicFetchFailure>>;
}

export interface PublicFetchOptions {
  /** Networks beyond the public ones. */
  readonly allowed: AllowedNetworks;
  /** `Millrace/1.0`. */
  readonly userAgent: string;
  /** All addresses of a name; default the system's resolver. */
  readonly resolve?: (host: string) => Promise<readonly LookupAddress[]>;
}

/** Opens the door. It keeps no connections. */
export function createPublicFetch(options: PublicFetchOptions): PublicFetch {
  const { allowed, resolve = systemResolve } = options;
  return {
    refuse: (url) => {
      const checked = checkUrl(url, allowed);
      return checked.ok ? undefined : checked.error.message;
    },
    async fetch(first, request) {
      let url = first;
      const most = request.method === 'POST' ? 0 : (request.redirects ?? 5);
      for (let redirects = 0; ; redirects++) {
        const checked = checkUrl(url, allowed);
        if (!checked.ok) return checked;
        const answer = await ask(checked.value, request, { allowed, resolve, userAgent: options.userAgent });
        if (!answer.ok) return answer;
        const { statusCode: status = 0, headers } = answer.value;
        const { location } = headers;
        if (status < 300 || status > 399 || location === undefined || most === 0)
          return ok(answerOf(answer.value, request));
        answer.value.destroy();
        if (redirects === most) return err({ kind: 'refused', message: `expected at most ${most} redirects` });
        if (!URL.canParse(location, url)) {
          return err({ kind: 'refused', message: 'it redirects to something that is no URL' });
        }
        url = new URL(location, url).href;
      }
    },
  };
}

function checkUrl(text: string, allowed: AllowedNetworks): Result<URL, PublicFetchFailure> {
  const refused = (message: string) => err({ kind: 'refused' as const, message });
  if (!URL.canParse(text)) return refused('expected an http or https URL');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return refused(`expected an http or https URL, got ${url.protocol}`);
  }
  if (url.username !== '' || url.password !== '') return refused('expected a URL without a user name and password');
  const host = bareHost(url);
  if (isIP(host) !== 0 && !mayReach(host, allowed)) return refused(`${host} is not a public address`);
  return ok(url);
}

function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

interface Door {
  readonly allowed: AllowedNetworks;
  readonly resolve: (host: string) => Promise<readonly LookupAddress[]>;
  readonly userAgent: string;
}

/** One request; resolves with the head of its answer. Rejects only with the signal's reason. */
async function ask(url: URL, given: PublicRequest, door: Door): Promise<Result<IncomingMessage, PublicFetchFailure>> {
  const { method = 'GET', body, signal, answerMs = 15_000 } = given;
  signal.throwIfAborted();
  let refusal: string | undefined;
  const lookup: LookupFunction = (host, wish, give) => {
    door.resolve(host).then(
      (found) => {
        const closed = found.find(({ address }) => !mayReach(address, door.allowed));
        const [open] = found;
        if (closed !== undefined) refusal = `${host} leads to ${closed.address}, which is not a public address`;
        if (closed !== undefined || open === undefined) give(new Error(refusal ?? `${host} has no address`), '', 0);
        else if (wish.all === true) give(null, [...found]);
        else give(null, open.address, open.family);
      },
      (error: unknown) => give(error instanceof Error ? error : new Error(String(error)), '', 0),
    );
  };
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const headers = { 'user-agent': door.userAgent, accept: '*/*', 'accept-encoding': 'identity', ...given.headers };
    const request = send(url, { method, headers, lookup, agent: false });
    const stop = () => request.destroy(new Error('no answer in time'));
    bounded.addEventListener('abort', stop, { once: true });
    request.once('response', (response) => {
      bounded.removeEventListener('abort', stop);
      resolve(response);
    });
    request.once('error', reject);
    request.once('close', () => bounded.removeEventListener('abort', stop));
    request.end(body);
  });
  try {
    return ok(await answered);
  } catch (error) {
    signal.throwIfAborted();
    if (refusal !== undefined) return err({ kind: 'refused', message: refusal });
    return err({ kind: 'unreachable', message: error instanceof Error ? error.message : String(error) });
  }
}

function answerOf(response: IncomingMessage, { signal, silenceMs = 30_000 }: PublicRequest): PublicAnswer {
  response.on('error', () => {}); // whoever reads is told; nobody else has to be
  const stop = () => response.destroy(new Error('stopped'));
  signal.addEventListener('abort', stop, { once: true });
  response.once('close', () => signal.removeEventListener('abort', stop));
  response.setTimeout(silenceMs, () => response.destroy(new Error(`nothing came for ${silenceMs} ms`)));
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    bytes: response as AsyncIterable<Uint8Array>,
    [Symbol.dispose]: () => void response.destroy(),
  };
}

function systemResolve(host: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    dnsLookup(host, { all: true, verbatim: true }, (error, found) => (error ? reject(error) : resolve(found)));
  });
}
