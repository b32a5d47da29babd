import type { Duplex } from 'node:stream';
import type { Clock } from '@millrace/clock';
import { FlvReader, type MediaTag, parseControlTag } from '@millrace/flv';
import type { Logger } from '@millrace/log';
import type { SourceAssignment, SourceDesk, SourceEnd, SourceHandler, SourceLink } from './source-port.ts';
import { encodeUpLine, ingestSilenceMs, type UpLine } from './source-wire.ts';

/** Lines that may wait for an ingest that does not read, bytes; heartbeats beyond are skipped. */
const maxUnsentBytes = 64 * 1024;

/** A source this worker holds over an upgraded connection: reads FLV, calls the handler in order, writes lines back. */
export class HeldSource {
  readonly #socket: Duplex;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #reader: FlvReader;
  readonly #onOver: (inOrder: boolean) => void;
  readonly #sinceMs: number;
  #handler: SourceHandler | undefined;
  #over = false;
  #heardMs: number;
  /** Tags that came before the handler is ready for more; undefined when it is ready. */
  #held: MediaTag[] | undefined;

  constructor(given: {
    readonly socket: Duplex;
    readonly head: Uint8Array;
    readonly assignment: SourceAssignment;
    readonly accept: Parameters<SourceDesk['park']>[0]['accept'];
    readonly clock: Clock;
    readonly log: Logger;
    /** Called once; `inOrder` when ingest ended the claim. */
    readonly onOver: (inOrder: boolean) => void;
  }) {
    this.#socket = given.socket;
    this.#clock = given.clock;
    this.#log = given.log;
    this.#onOver = given.onOver;
    this.#sinceMs = given.clock.monotonicMs();
    this.#heardMs = this.#sinceMs;
    this.#reader = new FlvReader({ firstTimestampMs: given.assignment.firstTimestampMs });
    let failure = 'ingest closed the connection';
    this.#socket.on('error', (error) => {
      failure = error.message;
    });
    this.#socket.on('close', () => this.#lost(failure));
    try {
      this.#handler = given.accept(given.assignment, this.#link());
    } catch (error) {
      this.#crashed('accept', error);
    }
    if (given.head.length > 0) this.#received(given.head);
    this.#socket.on('data', (bytes: Uint8Array) => this.#received(bytes));
    this.#socket.on('end', () => this.#socket.destroy());
  }

  /** How long the claim was held, ms. */
  get heldMs(): number {
    return this.#clock.monotonicMs() - this.#sinceMs;
  }

  /** Called each second: gives an ingest up that says nothing (a dead host sends no FIN). */
  tick(): void {
    if (this.#over || this.#held !== undefined) return;
    if (this.#clock.monotonicMs() - this.#heardMs > ingestSilenceMs) this.#lost(`no byte for ${ingestSilenceMs} ms`);
  }

  #link(): SourceLink {
    return {
      heartbeat: (lastPackagedMs) => this.#say({ kind: 'heartbeat', lastPackagedMs }),
      resume: () => {
        if (this.#held === undefined || this.#over) return;
        this.#say({ kind: 'resumed' });
        queueMicrotask(() => this.#goOn());
      },
      release: (reason) => {
        if (this.#over) return;
        this.#say({ kind: 'released', reason });
        this.#finish(false);
        this.#socket.end();
      },
    };
  }

  #received(bytes: Uint8Array): void {
    this.#heardMs = this.#clock.monotonicMs();
    if (this.#over) return;
    const tags = this.#reader.feed(bytes);
    if (!tags.ok) return this.#lost(`not FLV: ${tags.error.message}`);
    for (const tag of tags.value) {
      if (this.#held !== undefined) this.#held.push(tag);
      else this.#deliver(tag);
    }
  }

  /** The handler is ready again: it gets what was held back, then the socket flows. */
  #goOn(): void {
    const held = this.#held;
    if (held === undefined || this.#over) return;
    this.#held = undefined;
    for (const tag of held) {
      if (this.#held !== undefined) (this.#held as MediaTag[]).push(tag);
      else this.#deliver(tag);
    }
    this.#heardMs = this.#clock.monotonicMs();
    if (this.#held === undefined) this.#socket.resume();
  }

  #deliver(tag: MediaTag): void {
    if (this.#over) return;
    const word = parseControlTag(tag);
    try {
      if (word === undefined) {
        if (this.#handler?.tag(tag) !== false) return;
        this.#held = [];
        this.#socket.pause();
        this.#say({ kind: 'paused' });
      } else if (word === 'interrupted') this.#handler?.interrupted();
      else if (word === 'ended' || word === 'superseded') this.#end(word);
    } catch (error) {
      this.#crashed(word ?? 'tag', error);
    }
  }

  #say(line: UpLine): void {
    if (this.#over || this.#socket.writableLength > maxUnsentBytes) return;
    this.#socket.write(encodeUpLine(line));
  }

  #end(reason: SourceEnd): void {
    const handler = this.#handler;
    this.#finish(reason !== 'lost');
    this.#socket.destroy();
    try {
      handler?.end(reason);
    } catch (error) {
      this.#log.error('source-handler-threw', { call: 'end', error });
    }
  }

  #crashed(call: string, error: unknown): void {
    this.#log.error('source-handler-threw', { call, error });
    this.#lost('the handler threw');
  }

  #lost(detail: string): void {
    if (this.#over) return;
    this.#log.warn('source-lost', { detail });
    this.#end('lost');
  }

  #finish(inOrder: boolean): void {
    this.#over = true;
    this.#onOver(inOrder);
  }
}
