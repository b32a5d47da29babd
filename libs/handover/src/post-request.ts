import { type Agent, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Clock } from '@millrace/clock';

const maxAnswerBytes = 1024 * 1024;

/** The answer to a POST, or why there was none in time. */
export type PostOutcome =
  | { readonly kind: 'answered'; readonly status: number; readonly text: string }
  | { readonly kind: 'failed'; readonly message: string };

/** Posts `body` as JSON and reads at most 1 MiB of answer within `timeoutMs`. Never rejects. */
export function postJson(given: {
  readonly url: URL;
  readonly authorization: string;
  readonly agent: Agent;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly body: string;
  /** POST, or GET without a body. */
  readonly method?: 'POST' | 'GET';
}): Promise<PostOutcome> {
  return new Promise((resolve) => {
    const body = Buffer.from(given.body);
    const method = given.method ?? 'POST';
    const headers = {
      authorization: given.authorization,
      ...(method === 'POST' ? { 'content-type': 'application/json', 'content-length': body.length } : {}),
    };
    const send = given.url.protocol === 'https:' ? requestHttps : requestHttp;
    const request = send(given.url, { method, agent: given.agent, headers });
    const fail = (message: string) => {
      timer.cancel();
      resolve({ kind: 'failed', message });
      request.destroy();
    };
    const timer = given.clock.after(given.timeoutMs, () => fail(`no answer within ${given.timeoutMs} ms`));
    request.on('error', (error) => fail(error.message));
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('error', (error) => fail(error.message));
      response.on('data', (more: string) => {
        text += more;
        if (text.length > maxAnswerBytes) fail(`the answer is longer than ${maxAnswerBytes} bytes`);
      });
      response.on('end', () => {
        timer.cancel();
        resolve({ kind: 'answered', status: response.statusCode ?? 0, text });
      });
    });
    request.end(method === 'POST' ? body : undefined);
  });
}
