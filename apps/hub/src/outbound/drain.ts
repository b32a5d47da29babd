import type { Clock } from '@millrace/clock';
import type { Client } from '../core/client.ts';
import { SharedMessage } from '../core/shared-message.ts';

export interface DrainOptions {
  readonly clients: () => readonly Client[];
  /** Each client is told another time within this, so that they do not all arrive elsewhere at once. */
  readonly spreadMs: number;
  /** Longest wait for closing handshakes, ms. */
  readonly deadlineMs: number;
  readonly clock: Clock;
}

const slice = 500;

/** Tells every client when to come back and closes it; resolves when all are gone or the deadline has passed. */
export async function drainClients({ clients, spreadMs, deadlineMs, clock }: DrainOptions): Promise<void> {
  const all = clients();
  for (let at = 0; at < all.length; at++) {
    const client = all[at];
    if (client?.outlet.isOpen === true) {
      const after_ms = Math.round((spreadMs * (at + 1)) / all.length);
      client.outlet.write([new SharedMessage({ op: 'reconnect', after_ms })]);
      client.outlet.close('draining');
    }
    if (at % slice === slice - 1) await new Promise((resolve) => setImmediate(resolve));
  }
  const endsAtMs = clock.monotonicMs() + deadlineMs;
  while (clients().length > 0 && clock.monotonicMs() < endsAtMs)
    await new Promise((resolve) => setTimeout(resolve, 10));
}
