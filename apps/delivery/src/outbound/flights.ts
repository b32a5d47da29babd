/**
 * Makes one request of many: who asks for what is already being asked joins it, and all get the same answer. Askers are
 * bounded in number. When the last of them leaves, the request is called off.
 */
import { type Absence, type Answer, answered, type Leave, type Outcome } from '../core/playback-source.ts';
import type { Later } from '../core/waiting-room.ts';
import { ReleaseQueue } from './release-queue.ts';

export type FlightOutcome = 'ready' | 'timeout' | 'absent' | 'removed' | 'draining' | 'client-left' | 'room-full';

export interface FlightsOptions {
  /** Askers that may wait at once. */
  readonly capacity: number;
  /** How the wait of a held asker ended. */
  readonly onOutcome: (outcome: FlightOutcome) => void;
  /** A request that failed in a way nobody foresaw. */
  readonly onCrash: (error: unknown) => void;
}

export interface FlightName {
  readonly key: string;
  readonly streamId: string;
  readonly held: boolean;
}

interface Flight {
  readonly streamId: string;
  readonly abort: AbortController;
  readonly answers: Set<Answer<never>>;
  /** Askers wait on purpose, until something is there; they are counted. */
  readonly held: boolean;
}

const atOnce: Later = (work) => work();
const draining: Absence = { kind: 'unavailable', reason: 'draining', detail: 'try another instance' };

export class Flights {
  readonly #flights = new Map<string, Flight>();
  readonly #queue = new ReleaseQueue();
  readonly #options: FlightsOptions;
  #waiting = 0;
  #draining = false;

  constructor(options: FlightsOptions) {
    this.#options = options;
  }

  /** Askers that wait. */
  get waiting(): number {
    return this.#waiting + this.#queue.length;
  }

  has(key: string): boolean {
    return this.#flights.has(key);
  }

  /** Joins the request of `key`, or begins it. A key stands for one type of answer. */
  join<T>(
    { key, streamId, held }: FlightName,
    begin: (signal: AbortSignal) => Promise<Outcome<T>>,
    answer: Answer<T>,
  ): Leave {
    const { capacity, onOutcome } = this.#options;
    if (this.#draining) {
      answer(draining, atOnce);
      return answered;
    }
    if (this.waiting >= capacity) {
      onOutcome('room-full');
      answer({ kind: 'unavailable', reason: 'too-busy', detail: 'too many requests wait for a part' }, atOnce);
      return answered;
    }
    const flight = this.#flights.get(key) ?? this.#begin({ key, streamId, held }, begin);
    const entry = answer as Answer<never>; // the key's type: join is the only way in
    flight.answers.add(entry);
    this.#waiting++;
    return () => {
      if (!flight.answers.delete(entry)) return;
      this.#waiting--;
      if (flight.held) onOutcome('client-left');
      if (flight.answers.size > 0) return;
      this.#remove(key, flight);
      flight.abort.abort();
    };
  }

  /** Everybody who waits for the stream is to ask again. */
  evict(streamId: string): void {
    for (const [key, flight] of [...this.#flights]) {
      if (flight.streamId !== streamId) continue;
      this.#land(key, flight, { kind: 'ask-again' });
      flight.abort.abort();
    }
  }

  /** Answers everybody and takes nobody from now on. */
  drain(): void {
    this.#draining = true;
    for (const [key, flight] of [...this.#flights]) {
      this.#land(key, flight, draining);
      flight.abort.abort();
    }
    this.#queue.flush();
  }

  #begin<T>({ key, streamId, held }: FlightName, begin: (signal: AbortSignal) => Promise<Outcome<T>>): Flight {
    const flight: Flight = { streamId, held, abort: new AbortController(), answers: new Set() };
    this.#flights.set(key, flight);
    begin(flight.abort.signal)
      .catch((error: unknown): Outcome<T> => {
        this.#options.onCrash(error);
        return { kind: 'unavailable', reason: 'origin-away', detail: 'the request to the origin failed' };
      })
      .then((outcome) => this.#land(key, flight, outcome as Outcome<never>))
      .catch(this.#options.onCrash);
    return flight;
  }

  #land(key: string, flight: Flight, outcome: Outcome<never>): void {
    this.#remove(key, flight);
    const answers = [...flight.answers];
    flight.answers.clear();
    this.#waiting -= answers.length;
    const how = outcomeOf(outcome);
    this.#queue.release(
      answers.map((answer) => (later) => {
        if (flight.held) later(() => this.#options.onOutcome(how));
        answer(outcome, later);
      }),
    );
  }

  #remove(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

function outcomeOf(outcome: Outcome<never>): FlightOutcome {
  if (outcome.kind === 'found') return 'ready';
  if (outcome.kind === 'ask-again') return 'removed';
  if (outcome.kind !== 'unavailable') return 'absent';
  if (outcome.reason === 'draining') return 'draining';
  return outcome.reason === 'timed-out' ? 'timeout' : 'absent';
}
