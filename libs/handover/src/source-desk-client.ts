import { type Clock, sleep } from '@millrace/clock';
import { Background } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import { HeldSource } from './held-source.ts';
import { ParkPace } from './park-pace.ts';
import { type ParkOutcome, parkRequest } from './parked-request.ts';
import type { SourceDesk } from './source-port.ts';
import { decodeAssignment, pingMs, workerIdPattern } from './source-wire.ts';

export interface SourceDeskClientOptions {
  /** Ingest's internal listener, e.g. `http://ingest-0:8081`. */
  readonly baseUrl: string;
  readonly serviceToken: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** In [0, 1): the jitter of re-parking. */
  readonly random?: () => number;
}

type ParkOptions = Parameters<SourceDesk['park']>[0];
type Assigned = Extract<ParkOutcome, { kind: 'assigned' }>;

/**
 * The worker's side over HTTP, for one ingest. Parks one connection a slot and comes back with growing, jittered waits
 * after a disconnect. Closing it drops every connection; sources that are held end as `lost`.
 */
export function openSourceDeskClient(options: SourceDeskClientOptions): SourceDesk & AsyncDisposable {
  const { clock } = options;
  const baseUrl = new URL(options.baseUrl);
  const authorization = `Bearer ${options.serviceToken}`;
  const log = options.log.with({ ingest: baseUrl.host });
  const closing = new AbortController();
  const loops = new Set<Background>();
  const held = new Map<HeldSource, { drop(): void }>();

  const timer = clock.every(pingMs, () => {
    for (const source of held.keys()) source.tick();
  });

  /** One slot: park, hold what comes, park again. Ends when `signal` aborts and the source it may hold is over. */
  async function runSlot(park: ParkOptions, signal: AbortSignal): Promise<void> {
    const random = options.random ?? Math.random;
    const reaching = new ParkPace({ random, baseMs: 100, capMs: 5_000 });
    const holding = new ParkPace({ random, baseMs: 100, capMs: 5_000 });
    const onParked = () => reaching.parked();
    while (!signal.aborted) {
      const outcome = await parkRequest({ baseUrl, authorization, workerId: park.workerId, clock, signal, onParked });
      switch (outcome.kind) {
        case 'aborted':
          return;
        case 'assigned': {
          const waitMs = await hold(park, outcome, holding);
          if (waitMs > 0) await sleep(clock, waitMs, signal);
          break;
        }
        case 'refused':
        case 'failed':
          log.warn('park-failed', { ...outcome });
          await sleep(clock, reaching.afterFailure(), signal);
          break;
      }
    }
  }

  /** Runs one source to its end; resolves with the wait before the next parking, ms. */
  function hold(park: ParkOptions, assigned: Assigned, pace: ParkPace): Promise<number> {
    const { header, socket, head } = assigned;
    const assignment = decodeAssignment(header);
    if (!assignment.ok || closing.signal.aborted) {
      if (!assignment.ok) log.error('bad-assignment', { message: assignment.error.message });
      socket.destroy();
      return Promise.resolve(pace.afterFailure());
    }
    const { streamId, epoch } = assignment.value;
    return new Promise((resolve) => {
      const source = new HeldSource({
        socket,
        head,
        assignment: assignment.value,
        accept: park.accept,
        clock,
        log: log.with({ worker_id: park.workerId, stream_id: streamId, epoch }),
        // In a microtask: a handler that throws in `accept` ends the claim before the constructor has returned.
        onOver: (inOrder) =>
          queueMicrotask(() => {
            held.delete(source);
            resolve(pace.afterClaim(inOrder, source.heldMs));
          }),
      });
      held.set(source, { drop: () => socket.destroy() });
    });
  }

  return {
    park(park) {
      if (!workerIdPattern.test(park.workerId)) {
        throw new Error(`expected a worker id like ${String(workerIdPattern)}, got "${park.workerId}"`);
      }
      const leaving = new AbortController();
      const signal = AbortSignal.any([leaving.signal, closing.signal]);
      for (let i = 0; i < park.slots; i++) {
        const loop: Background = new Background(
          () => runSlot(park, signal).finally(() => queueMicrotask(() => loops.delete(loop))),
          (error) => log.error('park-loop-crashed', { error }),
        );
        loops.add(loop);
      }
      return {
        async [Symbol.asyncDispose]() {
          leaving.abort();
        },
      };
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      timer.cancel();
      for (const connection of held.values()) connection.drop();
      await Promise.all([...loops].map((loop) => loop.done));
    },
  };
}
