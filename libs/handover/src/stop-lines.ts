import { type Agent, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type StopOrder, stopOrderSchema } from '@millrace/api';
import type { Clock } from '@millrace/clock';
import { leaseSilenceMs, maxCallBytes, readJson } from './job-lease-wire.ts';
import { LineReader } from './line-reader.ts';

/**
 * The stop orders of one connection. Ends when `signal` aborts; throws when the connection breaks or is silent for longer than
 * `leaseSilenceMs`.
 */
export async function* readStops(given: {
  readonly url: URL;
  readonly authorization: string;
  readonly agent: Agent;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): AsyncGenerator<StopOrder> {
  const { url, clock, signal } = given;
  if (signal.aborted) return;
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  const request = send(url, { agent: given.agent, headers: { authorization: given.authorization } });
  let heardMs = clock.monotonicMs();
  let why: Error | undefined;
  const cut = (message: string) => {
    why = new Error(`stop orders of ${url.host}: ${message}`);
    request.destroy(why);
  };
  const onAbort = () => cut('not wanted any more');
  signal.addEventListener('abort', onAbort, { once: true });
  const watch = clock.every(leaseSilenceMs / 4, () => {
    if (clock.monotonicMs() - heardMs > leaseSilenceMs) cut(`no sign of life for ${leaseSilenceMs} ms`);
  });
  try {
    const response = await responseTo(request);
    if (response.statusCode !== 200)
      throw new Error(`stop orders of ${url.host}: expected 200, got ${response.statusCode}`);
    const lines = new LineReader(maxCallBytes);
    for await (const bytes of response as AsyncIterable<Uint8Array>) {
      heardMs = clock.monotonicMs();
      const read = lines.feed(bytes);
      if (!read.ok) throw new Error(`stop orders of ${url.host}: ${read.error.message}`);
      for (const line of read.value) {
        const order = readJson(stopOrderSchema, line);
        if (!order.ok) throw new Error(`stop orders of ${url.host}: ${order.error.message}`);
        yield order.value;
      }
    }
  } catch (error) {
    // The response only knows that it was cut, not why.
    if (!signal.aborted) throw why ?? error;
  } finally {
    watch.cancel();
    signal.removeEventListener('abort', onAbort);
    request.on('error', () => {}); // cut above, or here: nobody is left to tell
    request.destroy();
  }
}

function responseTo(request: ReturnType<typeof requestHttp>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', (response) => {
      // What breaks the connection later is the response's error too; the loop over it throws that.
      request.on('error', () => {});
      resolve(response);
    });
    request.once('error', reject);
    request.end();
  });
}
