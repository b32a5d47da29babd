import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '@millrace/clock';
import { guardMount, type HttpMount, problem, serviceTokenGuard, writeProblem } from '@millrace/http';
import type { Logger } from '@millrace/log';
import { err, ok } from '@millrace/result';
import { leaseMs } from './claim-lease.ts';
import { ParkQueue } from './park-queue.ts';
import { type ClaimBuffer, SourceClaim } from './source-claim.ts';
import type { ParkedWorkers } from './source-port.ts';
import { claimPath, claimProtocol, parkedSilenceMs, pingMs, workerHeader, workerIdPattern } from './source-wire.ts';

/** What may be counted: a bounded set, for a metric's `reason`. */
export type SourceClaimEvent =
  | 'parked'
  | 'assigned'
  | 'ended'
  | 'refused-token'
  | 'refused-request'
  | 'refused-full'
  | 'parked-gone'
  | 'parked-silent'
  | 'worker-released'
  | 'worker-silent'
  | 'worker-disconnected'
  | 'overrun';

export interface SourceClaimServerOptions {
  /** At least 16 characters. */
  readonly serviceToken: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Most connections that may be parked. */
  readonly maxParked?: number;
  readonly buffer?: ClaimBuffer;
  readonly onEvent?: (event: SourceClaimEvent) => void;
}

const signOfLife = 'HTTP/1.1 102 Processing\r\n\r\n';

interface Parked {
  readonly workerId: string;
  readonly socket: Duplex;
  heardMs: number;
  claim: SourceClaim | undefined;
}

/** Ingest's side over HTTP: mount it on the internal listener. Closing it drops every connection. */
export function openSourceClaimServer(
  options: SourceClaimServerOptions,
): ParkedWorkers & { readonly mount: HttpMount } & AsyncDisposable {
  const { clock, log } = options;
  const maxParked = options.maxParked ?? 1_024;
  const buffer = options.buffer ?? { softBytes: 4 * 1024 * 1024, hardBytes: 16 * 1024 * 1024 };
  const count = options.onEvent ?? (() => {});
  const guard = serviceTokenGuard(options.serviceToken);
  const queue = new ParkQueue<Parked>();
  const connections = new Set<Parked>();
  let open = true;

  const timer = clock.every(pingMs, () => {
    for (const connection of connections) {
      if (connection.claim !== undefined) connection.claim.tick();
      else if (clock.monotonicMs() - connection.heardMs > parkedSilenceMs) {
        log.warn('parked-worker-silent', { worker_id: connection.workerId });
        drop(connection, 'parked-silent');
      } else connection.socket.write(signOfLife);
    }
  });

  function drop(connection: Parked, why: 'parked-silent' | 'parked-gone'): void {
    queue.remove(connection);
    if (connections.delete(connection)) count(why);
    connection.socket.destroy();
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = new URL(request.url ?? '/', 'http://ingest').pathname;
    const workerId = String(request.headers[workerHeader] ?? '');
    const asked = request.method === 'GET' && request.headers.upgrade?.toLowerCase() === claimProtocol;
    if (!guard(request)) refuse(socket, 'refused-token', '401 Unauthorized');
    else if (path !== claimPath) refuse(socket, 'refused-request', '404 Not Found');
    else if (!asked || !workerIdPattern.test(workerId)) refuse(socket, 'refused-request', '400 Bad Request');
    else if (!open || queue.size >= maxParked) refuse(socket, 'refused-full', '503 Service Unavailable');
    else park({ workerId, socket, heardMs: clock.monotonicMs(), claim: undefined }, head);
  }

  function refuse(socket: Duplex, event: SourceClaimEvent, status: string): void {
    count(event);
    log.warn('parking-refused', { reason: event, status });
    socket.on('error', () => {}); // the worker may be gone already: nobody is left to tell
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
  }

  function park(connection: Parked, head: Buffer): void {
    const { socket } = connection;
    if (socket instanceof Socket) {
      socket.setTimeout(0);
      socket.setNoDelay(true);
      socket.setKeepAlive(true, pingMs);
    }
    const received = (bytes: Buffer) => {
      connection.heardMs = clock.monotonicMs();
      if (connection.claim !== undefined) connection.claim.received(bytes);
      else if (bytes.some((byte) => byte !== 10 && byte !== 13)) drop(connection, 'parked-gone');
    };
    let failure = 'the worker closed the connection';
    socket.on('data', received);
    socket.on('error', (error) => {
      failure = error.message;
    });
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      connection.claim?.closed(failure);
      if (connection.claim === undefined) drop(connection, 'parked-gone');
      connections.delete(connection);
    });
    connections.add(connection);
    if (head.length > 0) received(head);
    socket.write(signOfLife);
    count('parked');
    queue.add(connection);
  }

  /** A worker that missed a sign of life may stand still: it gets a source only when nobody else waits. */
  function takeParked(): Parked | undefined {
    const heardSinceMs = clock.monotonicMs() - leaseMs;
    for (;;) {
      const connection = queue.take(({ heardMs }) => heardMs >= heardSinceMs);
      if (connection === undefined || (connection.socket.writable && !connection.socket.destroyed)) return connection;
    }
  }

  return {
    mount: {
      ...guardMount(
        {
          prefix: claimPath,
          handle(_request, response) {
            const detail = `expected GET with Upgrade: ${claimProtocol}`;
            writeProblem(response, problem(426, 'upgrade-required', 'Upgrade required', { detail }), {
              upgrade: claimProtocol,
            });
          },
        },
        guard,
      ),
      upgrade,
    },
    get idle() {
      return queue.size;
    },
    onParked: (listener) => queue.onParked(listener),
    assign(assignment, events) {
      const connection = takeParked();
      if (connection === undefined) return err({ kind: 'no-worker' });
      const { workerId, socket } = connection;
      const fields = { worker_id: workerId, stream_id: assignment.streamId, epoch: assignment.epoch };
      const onOver = (how: SourceClaimEvent) => {
        count(how);
        if (how === 'ended') log.info('source-claim-ended', fields);
        else log.warn('source-claim-lost', { ...fields, reason: how });
      };
      connection.claim = new SourceClaim({ workerId, socket, assignment, events, buffer, clock, onOver });
      count('assigned');
      return ok(connection.claim);
    },
    async [Symbol.asyncDispose]() {
      open = false;
      timer.cancel();
      for (const connection of connections) connection.socket.destroy();
      connections.clear();
    },
  };
}
