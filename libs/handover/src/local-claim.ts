import type { Clock } from '@millrace/clock';
import type { MediaTag } from '@millrace/flv';
import type { Logger } from '@millrace/log';
import { ClaimLease } from './claim-lease.ts';
import type {
  Claim,
  ClaimEvents,
  ClaimLoss,
  SourceAssignment,
  SourceDesk,
  SourceEnd,
  SourceHandler,
  SourceLink,
} from './source-port.ts';

type State =
  | { readonly kind: 'held'; readonly handler: SourceHandler | undefined }
  /** Over by the worker's doing; ingest is told in a microtask unless it ends the claim first. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'ended' };

/** A source that a worker of this process holds. */
export class LocalClaim implements Claim {
  readonly workerId: string;
  readonly #events: ClaimEvents;
  readonly #log: Logger;
  readonly #lease: ClaimLease;
  readonly #onOver: (inOrder: boolean) => void;
  #state: State = { kind: 'held', handler: undefined };
  #behind = false;

  constructor(given: {
    readonly workerId: string;
    readonly clock: Clock;
    readonly log: Logger;
    readonly events: ClaimEvents;
    /** Called once when the claim is over; true when ingest ended it. */
    readonly onOver: (inOrder: boolean) => void;
  }) {
    this.workerId = given.workerId;
    this.#events = given.events;
    this.#log = given.log;
    this.#onOver = given.onOver;
    this.#lease = new ClaimLease(given.clock, () => this.#lose('worker-silent', 'no heartbeat for 1.5 s', true));
  }

  /** Offers the source to the worker. */
  start(assignment: SourceAssignment, accept: Parameters<SourceDesk['park']>[0]['accept']): void {
    const link: SourceLink = {
      heartbeat: (lastPackagedMs) => {
        if (this.#state.kind !== 'held') return;
        this.#lease.renew();
        this.#events.onHeartbeat?.(lastPackagedMs);
      },
      resume: () => {
        if (!this.#behind) return;
        this.#behind = false;
        queueMicrotask(() => {
          if (this.#state.kind === 'held') this.#events.onDrain();
        });
      },
      release: (reason) => this.#lose('worker-released', reason, false),
    };
    try {
      const handler = accept(assignment, link);
      if (this.#state.kind === 'held') this.#state = { kind: 'held', handler };
    } catch (error) {
      this.#crashed('accept', error);
    }
  }

  tag(tag: MediaTag): boolean {
    if (this.#state.kind !== 'held') return true;
    try {
      const ready = this.#state.handler?.tag(tag) ?? true;
      if (!ready) this.#behind = true;
      return ready;
    } catch (error) {
      this.#crashed('tag', error);
      return true;
    }
  }

  interrupted(): void {
    if (this.#state.kind !== 'held') return;
    try {
      this.#state.handler?.interrupted();
    } catch (error) {
      this.#crashed('interrupted', error);
    }
  }

  end(reason: Exclude<SourceEnd, 'lost'>): void {
    const before = this.#state;
    this.#state = { kind: 'ended' };
    this.#lease.end();
    if (before.kind !== 'held') return;
    this.#endHandler(before.handler, reason);
    this.#onOver(true);
  }

  /** A handler that throws is a bug of the worker: over HTTP it would have lost its connection. */
  #crashed(call: string, error: unknown): void {
    this.#log.error('source-handler-threw', { call, error });
    this.#lose('worker-disconnected', `the worker's ${call} threw: ${String(error)}`, true);
  }

  #lose(loss: ClaimLoss, detail: string, tellHandler: boolean): void {
    if (this.#state.kind !== 'held') return;
    const { handler } = this.#state;
    this.#state = { kind: 'lost' };
    this.#lease.end();
    queueMicrotask(() => {
      if (tellHandler) this.#endHandler(handler, 'lost');
      if (this.#state.kind === 'lost') this.#events.onLost(loss, detail);
    });
    this.#onOver(false);
  }

  #endHandler(handler: SourceHandler | undefined, reason: SourceEnd): void {
    try {
      handler?.end(reason);
    } catch (error) {
      this.#log.error('source-handler-threw', { call: 'end', error });
    }
  }
}
