import type { Clock } from '@millrace/clock';
import type { LiveWindow } from '../core/live-window.ts';
import type { RenditionTrack } from '../core/rendition-track.ts';
import { type Later, type Waiter, WaitingRoom, type WaitOutcome } from '../core/waiting-room.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import type { AdmittedExchange, Refusals } from './exchange.ts';
import { ReleaseQueue } from './release-queue.ts';

/** A held request gives up after this many target durations (rfc8216bis 6.2.5.2). */
const waitTargets = 3;

export interface HeldRequestsOptions {
  readonly capacity: number;
  readonly clock: Clock;
  readonly metrics: DeliveryMetrics;
  readonly refusals: Refusals;
  /** Takes a request through all checks again, because what it waits for is gone. */
  readonly restart: (exchange: AdmittedExchange) => void;
}

export interface Hold {
  readonly window: LiveWindow;
  readonly track: RenditionTrack;
  readonly kind: Waiter['kind'];
  readonly isReady: () => boolean;
  readonly answer: (later: Later) => void;
}

/** Requests that are held open until their part is there. */
export class HeldRequests {
  readonly #room: WaitingRoom;
  readonly #queue = new ReleaseQueue();
  readonly #options: HeldRequestsOptions;
  #draining = false;

  constructor(options: HeldRequestsOptions) {
    this.#options = options;
    this.#room = new WaitingRoom(options.capacity);
  }

  get count(): number {
    return this.#room.count + this.#queue.length;
  }

  /** Holds a request, bounded in number and time; its wait ends too when the client goes. */
  hold(exchange: AdmittedExchange, hold: Hold): void {
    const { clock } = this.#options;
    const refusals = this.#options.refusals;
    if (this.#draining) return refusals.unavailable(exchange, 'draining', 'try another instance');
    const { targetDurationS } = hold.window.settings;
    const answer = (outcome: WaitOutcome, later: Later): void => {
      later(() => this.#options.metrics.waits.inc({ outcome }));
      if (exchange.response.destroyed) return;
      if (outcome === 'ready') return hold.answer(later);
      if (outcome === 'removed') return this.#options.restart(exchange);
      if (outcome === 'draining') return refusals.unavailable(exchange, 'draining', 'try another instance');
      const detail = `rendition ${hold.track.name} got nothing new for ${waitTargets * targetDurationS} s`;
      refusals.unavailable(exchange, 'timed-out', detail);
    };
    const deadlineMs = clock.monotonicMs() + waitTargets * targetDurationS * 1000;
    const waiter: Waiter = { track: hold.track, kind: hold.kind, deadlineMs, isReady: hold.isReady, answer };
    if (!this.#room.enter(waiter)) {
      this.#options.metrics.waits.inc({ outcome: 'room-full' });
      return refusals.unavailable(exchange, 'too-busy', 'too many requests wait for a part');
    }
    exchange.response.once('close', () => {
      if (this.#room.leave(waiter)) this.#options.metrics.waits.inc({ outcome: 'client-left' });
    });
  }

  /** A rendition changed: those who can be answered will be. */
  wake(track: RenditionTrack): void {
    this.#queue.release(this.#room.takeReady(track), 'ready');
  }

  /** The window, or the right to see it, is gone: its waiters go through all checks again. */
  evict(window: LiveWindow): void {
    this.#queue.release(this.#room.takeAll(window.tracks()), 'removed');
  }

  /** Ends the waits that took too long. */
  sweep(): void {
    this.#queue.release(this.#room.takeOverdue(this.#options.clock.monotonicMs()), 'timeout');
  }

  /** Answers everybody and holds nobody from now on. */
  drain(): void {
    this.#draining = true;
    this.#queue.release(this.#room.takeAll(), 'draining');
    this.#queue.flush();
  }
}
