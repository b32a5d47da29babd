import { type Agent, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Clock } from '@millrace/clock';

/** The answer to a call, or why there was none. */
export type LeaseAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly text: string }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'aborted' };

export interface LeaseCall {
  readonly url: URL;
  readonly authorization: string;
  readonly agent: Agent;
  readonly clock: Clock;
  readonly body: string;
  /** Longest time without a byte or a `102 Processing`, ms. */
  readonly silenceMs: number;
  readonly maxAnswerBytes: number;
  readonly signal?: AbortSignal;
}

/** Posts JSON and reads the answer, which may be held as long as it shows signs of life. Never rejects. */
export function postLeaseCall(call: LeaseCall): Promise<LeaseAnswer> {
  const { url, clock, signal, silenceMs } = call;
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve({ kind: 'aborted' });
    const body = Buffer.from(call.body);
    const headers = {
      authorization: call.authorization,
      'content-type': 'application/json',
      'content-length': body.length,
    };
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const request = send(url, { method: 'POST', agent: call.agent, headers });
    const settle = (answer: LeaseAnswer) => {
      silence.cancel();
      signal?.removeEventListener('abort', onAbort);
      resolve(answer);
      if (answer.kind !== 'answered') request.destroy();
    };
    const fail = (message: string) => settle({ kind: 'failed', message });
    const onAbort = () => settle({ kind: 'aborted' });
    const watch = () => clock.after(silenceMs, () => fail(`no sign of life from ${url.host} for ${silenceMs} ms`));
    let silence = watch();
    const heard = () => {
      silence.cancel();
      silence = watch();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    request.on('information', heard);
    request.on('error', (error) => fail(error.message));
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('error', (error) => fail(error.message));
      response.on('data', (more: string) => {
        heard();
        text += more;
        if (text.length > call.maxAnswerBytes) fail(`the answer is longer than ${call.maxAnswerBytes} bytes`);
      });
      response.on('end', () => settle({ kind: 'answered', status: response.statusCode ?? 0, text }));
    });
    request.end(body);
  });
}
