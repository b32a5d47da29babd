/**
 * Ingest and transcode in one process: tags are handed over by reference, in plain calls. The lease is the same as over
 * HTTP: a handler that throws or a worker without heartbeats loses its claim. What ingest and worker are told about a loss
 * comes in a microtask, never inside their own call, as it would over a socket.
 */
import { type Clock, systemClock } from '@millrace/clock';
import { type Logger, silentLogger } from '@millrace/log';
import { err, ok } from '@millrace/result';
import { LocalClaim } from './local-claim.ts';
import { ParkPace } from './park-pace.ts';
import { ParkQueue } from './park-queue.ts';
import type { ParkedWorkers, SourceDesk } from './source-port.ts';

type Accept = Parameters<SourceDesk['park']>[0]['accept'];

/** One of the `slots` of a `park` call while it waits. */
interface LocalSlot {
  readonly workerId: string;
  readonly accept: Accept;
  /** The claim that used this slot is over; `inOrder`: ingest ended it. */
  over(inOrder: boolean, heldMs: number): void;
}

/** Opens the by-reference adapter: `desk` goes to transcode, `workers` to ingest. */
export function createLocalSourceDesk(
  options: { readonly clock?: Clock; readonly log?: Logger; readonly random?: () => number } = {},
): { readonly desk: SourceDesk; readonly workers: ParkedWorkers } {
  const clock = options.clock ?? systemClock;
  const log = options.log ?? silentLogger;
  const random = options.random ?? Math.random;
  const queue = new ParkQueue<LocalSlot>();

  const desk: SourceDesk = {
    park({ workerId, slots, accept }) {
      let open = true;
      const mine = new Set<LocalSlot>();
      for (let i = 0; i < slots; i++) {
        const pace = new ParkPace({ random, baseMs: 100, capMs: 5_000 });
        const slot: LocalSlot = {
          workerId,
          accept,
          over(inOrder, heldMs) {
            const park = () => {
              if (open) queue.add(slot);
            };
            const waitMs = pace.afterClaim(inOrder, heldMs);
            if (waitMs === 0) park();
            else clock.after(waitMs, park);
          },
        };
        mine.add(slot);
        queue.add(slot);
      }
      return {
        async [Symbol.asyncDispose]() {
          open = false;
          for (const slot of mine) queue.remove(slot);
        },
      };
    },
  };

  const workers: ParkedWorkers = {
    get idle() {
      return queue.size;
    },
    assign(assignment, events) {
      const slot = queue.take();
      if (slot === undefined) return err({ kind: 'no-worker' });
      const sinceMs = clock.monotonicMs();
      const claim = new LocalClaim({
        workerId: slot.workerId,
        clock,
        log: log.with({ worker_id: slot.workerId, stream_id: assignment.streamId, epoch: assignment.epoch }),
        events,
        onOver: (inOrder) => slot.over(inOrder, clock.monotonicMs() - sinceMs),
      });
      claim.start(assignment, slot.accept);
      return ok(claim);
    },
    onParked: (listener) => queue.onParked(listener),
  };
  return { desk, workers };
}
