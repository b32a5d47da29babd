/**
 * One writer for several origins. A stream goes on where it stands already (the live window with the highest epoch), else
 * to its first choice by rendezvous hashing that answers. For the whole of an epoch it stays there: when that origin is
 * away for too long the window is given up, the source goes back to ingest, and the next epoch opens at the next origin
 * (docs/decisions/0058). Windows that were left behind elsewhere are ended as soon as somebody sees them.
 */
import type { Clock } from '@millrace/clock';
import {
  type LiveWindowOrigin,
  type LiveWindowWriter,
  type OpenWindow,
  rankOrigins,
  type WindowStanding,
  type WindowState,
  type WriteRefusal,
} from '@millrace/handover';
import type { Epoch, StreamId } from '@millrace/ids';
import type { Logger } from '@millrace/log';
import { err, type Result } from '@millrace/result';

/** Why an origin was chosen: a bounded set, for a metric's `reason`. */
export type OriginChoice = 'standing' | 'first' | 'next';

export interface OriginWriterOptions {
  /** Origins by name; every worker and edge has to know them under the same names. */
  readonly origins: ReadonlyMap<string, LiveWindowOrigin>;
  /** How long an origin that took an epoch may be away until it has lost it, ms. */
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChosen?: (choice: OriginChoice) => void;
}

interface Home {
  readonly epoch: Epoch;
  readonly name: string;
  readonly writer: LiveWindowOrigin;
  /** Since when it does not answer, monotonic ms. */
  awaySinceMs: number | undefined;
}

interface Candidate {
  readonly name: string;
  readonly writer: LiveWindowOrigin;
  /** Undefined: it gave no answer. */
  readonly standing: WindowStanding | undefined;
}

/** Longest wait for origins to say where a stream stands, ms: going live must not wait for one that is dead. */
const standingMs = 500;
/** Streams whose origin is remembered; those of sources that were given back stay until they are the oldest. */
const mostHomes = 10_000;

export class OriginWriter implements LiveWindowWriter {
  readonly #options: OriginWriterOptions;
  readonly #homes = new Map<StreamId, Home>();

  constructor(options: OriginWriterOptions) {
    if (options.origins.size === 0) throw new Error('origin writer: expected at least one origin');
    this.#options = options;
  }

  async open(window: OpenWindow): Promise<Result<WindowState, WriteRefusal>> {
    const { streamId, epoch } = window;
    const home = this.#homes.get(streamId);
    if (home?.epoch === epoch) return this.#counted(home, await home.writer.open(window));
    const candidates = await this.#candidates(streamId);
    const newer = candidates.find(({ standing }) => isNewer(standing, epoch))?.standing;
    if (newer !== undefined && newer.kind !== 'none') return err({ kind: 'stale-epoch', current: newer.epoch });
    let refusal: WriteRefusal = { kind: 'unavailable', message: 'no origin answers' };
    for (const candidate of inOrderOfChoice(candidates)) {
      const opened = await candidate.writer.open(window);
      if (opened.ok) {
        this.#settle(window, candidate, candidates);
        return opened;
      }
      refusal = opened.error;
      if (refusal.kind !== 'unavailable') break;
    }
    return err(refusal);
  }

  async part(write: Parameters<LiveWindowWriter['part']>[0]): Promise<Result<void, WriteRefusal>> {
    const home = this.#homeOf(write);
    return home === undefined ? notOpen(write) : this.#counted(home, await home.writer.part(write));
  }

  async end(stream: Parameters<LiveWindowWriter['end']>[0]): Promise<Result<void, WriteRefusal>> {
    const home = this.#homeOf(stream);
    if (home === undefined) return notOpen(stream);
    const ended = this.#counted(home, await home.writer.end(stream));
    if (ended.ok) this.#homes.delete(stream.streamId);
    return ended;
  }

  #homeOf({ streamId, epoch }: { readonly streamId: StreamId; readonly epoch: Epoch }): Home | undefined {
    const home = this.#homes.get(streamId);
    return home?.epoch === epoch ? home : undefined;
  }

  /** Asks all origins where the stream stands; in order of rank, the silent ones without a standing. */
  async #candidates(streamId: StreamId): Promise<readonly Candidate[]> {
    const { origins, clock } = this.#options;
    const ranked = rankOrigins(streamId, [...origins.keys()]).flatMap((name) => {
      const writer = origins.get(name);
      return writer === undefined ? [] : [{ name, writer }];
    });
    if (ranked.length === 1) return ranked.map((only) => ({ ...only, standing: { kind: 'none' } }));
    return Promise.all(
      ranked.map(async (origin) => {
        let timer: { cancel(): void } | undefined;
        const late = new Promise<undefined>((resolve) => {
          timer = clock.after(standingMs, () => resolve(undefined));
        });
        const standing = await Promise.race([
          origin.writer.standing(streamId).then((answer) => (answer.ok ? answer.value : undefined)),
          late,
        ]);
        timer?.cancel();
        return { ...origin, standing };
      }),
    );
  }

  #settle({ streamId, epoch }: OpenWindow, chosen: Candidate, candidates: readonly Candidate[]): void {
    const { log, onChosen } = this.#options;
    const choice = chosen.standing?.kind === 'live' ? 'standing' : candidates[0] === chosen ? 'first' : 'next';
    onChosen?.(choice);
    if (candidates.length > 1) log.info('origin-chosen', { stream_id: streamId, epoch, origin: chosen.name, choice });
    this.#homes.delete(streamId); // so that the map stays in order of last use
    this.#homes.set(streamId, { epoch, name: chosen.name, writer: chosen.writer, awaySinceMs: undefined });
    if (this.#homes.size > mostHomes) this.#homes.delete([...this.#homes.keys()][0] ?? streamId);
    for (const { name, writer, standing } of candidates) {
      if (writer === chosen.writer || standing?.kind !== 'live') continue;
      // Its viewers would wait for parts that go elsewhere. A refusal leaves it to the origin's own idle limit.
      writer
        .end({ streamId, epoch: standing.epoch })
        .then(() => log.info('window-left-behind-ended', { stream_id: streamId, epoch: standing.epoch, origin: name }))
        .catch((error: unknown) => log.warn('window-left-behind', { stream_id: streamId, origin: name, error }));
    }
  }

  /** An origin that stays away has lost the epoch: its windows are in its memory, so waiting brings nothing back. */
  #counted<T>(home: Home, result: Result<T, WriteRefusal>): Result<T, WriteRefusal> {
    const { origins, patienceMs, clock } = this.#options;
    if (result.ok || result.error.kind !== 'unavailable') {
      home.awaySinceMs = undefined;
      return result;
    }
    home.awaySinceMs ??= clock.monotonicMs();
    if (origins.size === 1 || clock.monotonicMs() - home.awaySinceMs < patienceMs) return result;
    const message = `origin ${home.name} was away for ${patienceMs} ms (${result.error.message}): the next epoch goes on`;
    return err({ kind: 'not-open', message });
  }
}

/** Where it stands with the highest epoch, then those that answered by rank, then the silent ones. */
function inOrderOfChoice(candidates: readonly Candidate[]): readonly Candidate[] {
  const weight = ({ standing }: Candidate): number => {
    if (standing === undefined) return -1;
    return standing.kind === 'live' ? standing.epoch : 0;
  };
  return [...candidates].sort((a, b) => weight(b) - weight(a));
}

function isNewer(standing: WindowStanding | undefined, epoch: Epoch): boolean {
  return standing !== undefined && standing.kind !== 'none' && standing.epoch > epoch;
}

function notOpen({ streamId, epoch }: { readonly streamId: StreamId; readonly epoch: Epoch }) {
  const message = `epoch ${epoch} of ${streamId} has not opened a window at any origin`;
  return err({ kind: 'not-open', message } as const);
}
