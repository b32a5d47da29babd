import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '@millrace/clock';
import { assignmentHeader, claimPath, claimProtocol, ingestSilenceMs, pingMs, workerHeader } from './source-wire.ts';

/** How a parked request came out. */
export type ParkOutcome =
  | { readonly kind: 'assigned'; readonly header: string; readonly socket: Duplex; readonly head: Buffer }
  | { readonly kind: 'refused'; readonly status: number; readonly detail: string }
  | { readonly kind: 'failed'; readonly detail: string }
  | { readonly kind: 'aborted' };

/**
 * Parks one unanswered Upgrade request at an ingest until it is assigned a source, fails, or `signal` aborts. Shows a sign
 * of life each second, and fails when ingest shows none for 5 s.
 */
export function parkRequest(given: {
  readonly baseUrl: URL;
  readonly authorization: string;
  readonly workerId: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Ingest showed its first sign of life. */
  readonly onParked: () => void;
}): Promise<ParkOutcome> {
  const { clock, signal } = given;
  return new Promise((resolve) => {
    if (signal.aborted) return resolve({ kind: 'aborted' });
    const options: RequestOptions = {
      agent: false,
      headers: {
        authorization: given.authorization,
        connection: 'Upgrade',
        upgrade: claimProtocol,
        [workerHeader]: given.workerId,
      },
    };
    const url = new URL(claimPath, given.baseUrl);
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options);
    let heardMs = clock.monotonicMs();
    let parked = false;
    let settled = false;

    const settle = (outcome: ParkOutcome) => {
      if (settled) return;
      settled = true;
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      if (outcome.kind !== 'assigned') request.destroy();
      resolve(outcome);
    };
    const onAbort = () => settle({ kind: 'aborted' });
    const timer = clock.every(pingMs, () => {
      if (clock.monotonicMs() - heardMs > ingestSilenceMs) {
        settle({ kind: 'failed', detail: `no answer from ${url.host} for ${ingestSilenceMs} ms` });
      } else if (parked) request.socket?.write('\r\n');
    });
    signal.addEventListener('abort', onAbort, { once: true });

    request.on('socket', (socket) => {
      if (!(socket instanceof Socket)) return;
      socket.setNoDelay(true);
      socket.setKeepAlive(true, pingMs);
    });
    request.on('information', () => {
      heardMs = clock.monotonicMs();
      if (!parked) given.onParked();
      parked = true;
    });
    request.on('upgrade', (response: IncomingMessage, socket: Duplex, head: Buffer) => {
      const header = response.headers[assignmentHeader];
      settle({ kind: 'assigned', header: typeof header === 'string' ? header : '', socket, head });
    });
    request.on('response', (response) => {
      response.resume();
      settle({ kind: 'refused', status: response.statusCode ?? 0, detail: response.statusMessage ?? '' });
    });
    request.on('error', (error) => settle({ kind: 'failed', detail: error.message }));
    request.on('close', () => settle({ kind: 'failed', detail: 'ingest closed the connection' }));
    request.end();
  });
}
