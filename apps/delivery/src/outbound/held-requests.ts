import type { Clock } from '@millrace/clock';
import type { LiveWindow } from '../core/live-window.ts';
import { type Absence, answered, type Leave } from '../core/playback-source.ts';
import type { RenditionTrack } from '../core/rendition-track.ts';
import { type Later, type Waiter, WaitingRoom, type WaitOutcome } from '../core/waiting-room.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import { ReleaseQueue } from './release-queue.ts';

/** A held request gives up after this many target durations (rfc8216bis 6.2.5.2). */
const waitTargets = 3;

export interface HeldRequestsOptions {
  readonly capacity: number;
  readonly clock: Clock;
  readonly metrics: Pick<DeliveryMetrics, 'waits'>;
}

export interface Hold {
  readonly window: LiveWindow;
  readonly track: RenditionTrack;
  readonly kind: Waiter['kind'];
  readonly isReady: () => boolean;
  /** What was waited for is there. */
  readonly ready: (later: Later) => void;
  /** It did not come. */
  readonly refuse: (absence: Absence, later: Later) => void;
}

const atOnce: Later = (work) => work();
const draining = { kind: 'unavailable', reason: 'draining', detail: 'try another instance' } as const;

/** Requests that are held until their part is there. */
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

  /** Holds a request, bounded in number and time. */
  hold(hold: Hold): Leave {
    const { clock, metrics } = this.#options;
    if (this.#draining) {
      hold.refuse(draining, atOnce);
      return answered;
    }
    const waitMs = waitTargets * hold.window.settings.targetDurationS * 1000;
    const answer = (outcome: WaitOutcome, later: Later): void => {
      later(() => metrics.waits.inc({ outcome }));
      if (outcome === 'ready') return hold.ready(later);
      hold.refuse(absenceOf(outcome, `rendition ${hold.track.name} got nothing new for ${waitMs / 1000} s`), later);
    };
    const { track, kind, isReady } = hold;
    const waiter: Waiter = { track, kind, deadlineMs: clock.monotonicMs() + waitMs, isReady, answer };
    if (!this.#room.enter(waiter)) {
      metrics.waits.inc({ outcome: 'room-full' });
      hold.refuse({ kind: 'unavailable', reason: 'too-busy', detail: 'too many requests wait for a part' }, atOnce);
      return answered;
    }
    return () => {
      if (this.#room.leave(waiter)) metrics.waits.inc({ outcome: 'client-left' });
    };
  }

  /** A rendition changed: those who can be answered will be. */
  wake(track: RenditionTrack): void {
    this.#release(this.#room.takeReady(track), 'ready');
  }

  /** The window, or the right to see it, is gone: its waiters go through all checks again. */
  evict(window: LiveWindow): void {
    this.#release(this.#room.takeAll(window.tracks()), 'removed');
  }

  /** Ends the waits that took too long. */
  sweep(): void {
    this.#release(this.#room.takeOverdue(this.#options.clock.monotonicMs()), 'timeout');
  }

  /** Answers everybody and holds nobody from now on. */
  drain(): void {
    this.#draining = true;
    this.#release(this.#room.takeAll(), 'draining');
    this.#queue.flush();
  }

  #release(waiters: readonly Waiter[], outcome: WaitOutcome): void {
    this.#queue.release(waiters.map((waiter) => (later) => waiter.answer(outcome, later)));
  }
}

function absenceOf(outcome: Exclude<WaitOutcome, 'ready'>, detail: string): Absence {
  if (outcome === 'removed') return { kind: 'ask-again' };
  return outcome === 'draining' ? draining : { kind: 'unavailable', reason: 'timed-out', detail };
}
