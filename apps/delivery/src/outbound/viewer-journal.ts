/**
 * The sessions that this instance has said it counts, on the disk, so that what kill -9 left open gets an end after the next
 * start. An append-only file: the ViewerJoined itself, `-` and an id when it has left, `@` and the time while anybody is counted.
 * It is written at once and not synced: it has to outlive the process. What a power failure takes, readers close by
 * live.instances.v1.
 */
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ViewerFact, viewerSessionsTopic } from '@millrace/events';
import type { Logger } from '@millrace/log';

export type ViewerJoined = ViewerFact & { readonly type: 'ViewerJoined' };
export type ViewerLeft = ViewerFact & { readonly type: 'ViewerLeft' };

/** A session in the journal; each join is one of its own. */
export interface JournalEntry {
  readonly sessionId: string;
  readonly line: string;
}

export interface ViewerJournalOptions {
  readonly dir: string;
  readonly log: Logger;
  /** A line could not be written: those sessions may stay without an end. */
  readonly onFailure: () => void;
  /** Lines beyond twice those that are needed, after which the file is written anew. */
  readonly slackLines?: number;
}

const fileName = 'open-sessions.jsonl';
/** Lines of a file that is written anew go out in pieces of this many. */
const linesPerWrite = 1_000;

/** Opens the journal; `open` are the ends of what was open when the last process died. */
export async function openViewerJournal(
  options: ViewerJournalOptions,
): Promise<{ readonly journal: ViewerJournal; readonly open: ReadonlyMap<JournalEntry, ViewerLeft> }> {
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const text = await readFile(join(options.dir, fileName), 'utf8').catch(() => '');
  const joins = new Map<string, { readonly entry: JournalEntry; readonly fact: ViewerJoined }>();
  let aliveMs = 0;
  for (const line of text.split('\n').slice(0, -1)) {
    if (line.startsWith('@')) aliveMs = Math.max(aliveMs, Number(line.slice(1)) || 0);
    else if (line.startsWith('-')) joins.delete(line.slice(1));
    else {
      const fact = parse(line);
      if (fact === undefined) continue;
      aliveMs = Math.max(aliveMs, fact.at_ms);
      joins.set(fact.session_id, { entry: { sessionId: fact.session_id, line }, fact });
    }
  }
  const open = new Map<JournalEntry, ViewerLeft>();
  for (const { entry, fact } of joins.values()) {
    const { resumed: _, ...viewer } = fact;
    const countedMs = Math.max(0, aliveMs - fact.at_ms);
    open.set(entry, {
      ...viewer,
      ...{ type: 'ViewerLeft', reason: 'evicted', at_ms: fact.at_ms + countedMs, counted_ms: countedMs },
    });
  }
  return { journal: new ViewerJournal(options, [...open.keys()], aliveMs), open };
}

export class ViewerJournal implements Disposable {
  readonly #options: ViewerJournalOptions;
  readonly #path: string;
  readonly #entries = new Map<string, JournalEntry>();
  #aliveMs: number;
  #file: number | undefined;
  #lines = 0;
  #failed = false;

  constructor(options: ViewerJournalOptions, entries: readonly JournalEntry[], aliveMs: number) {
    this.#options = options;
    this.#path = join(options.dir, fileName);
    this.#aliveMs = aliveMs;
    for (const entry of entries) this.#entries.set(entry.sessionId, entry);
    this.#guarded(() => this.#writeAnew());
  }

  get size(): number {
    return this.#entries.size;
  }

  /** What is open of the session. */
  of(sessionId: string): JournalEntry | undefined {
    return this.#entries.get(sessionId);
  }

  /** To be called before the fact is written: what is in the log must be in here. */
  joined(fact: ViewerJoined): void {
    const entry = { sessionId: fact.session_id, line: JSON.stringify(fact) };
    this.#entries.set(fact.session_id, entry);
    this.#write(entry.line);
  }

  /** To be called after the end of the entry is written. One that was replaced meanwhile stays. */
  left(entry: JournalEntry): void {
    if (this.#entries.get(entry.sessionId) !== entry) return;
    this.#entries.delete(entry.sessionId);
    this.#write(`-${entry.sessionId}`);
  }

  /** The instance is alive: whom it counts it has counted until now. */
  alive(nowMs: number): void {
    this.#aliveMs = nowMs;
    if (this.#entries.size > 0) this.#write(`@${nowMs}`);
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #write(line: string): void {
    this.#guarded(() => {
      const { slackLines = 10_000 } = this.#options;
      if (this.#file === undefined || this.#lines >= 2 * this.#entries.size + slackLines) return this.#writeAnew();
      writeSync(this.#file, `${line}\n`);
      this.#lines++;
    });
  }

  /** What is open, and nothing else. */
  #writeAnew(): void {
    const path = `${this.#path}.new`;
    rmSync(path, { force: true });
    const file = openSync(path, 'a', 0o600);
    try {
      const lines = [`@${this.#aliveMs}`, ...[...this.#entries.values()].map(({ line }) => line)];
      for (let i = 0; i < lines.length; i += linesPerWrite) {
        writeSync(file, `${lines.slice(i, i + linesPerWrite).join('\n')}\n`);
      }
      renameSync(path, this.#path);
      this.#lines = lines.length;
    } catch (error) {
      closeSync(file);
      throw error;
    }
    this[Symbol.dispose]();
    this.#file = file;
  }

  #guarded(write: () => void): void {
    try {
      write();
      this.#failed = false;
    } catch (error) {
      // A torn line would spoil the next: the file is written anew.
      this[Symbol.dispose]();
      this.#options.onFailure();
      if (!this.#failed) this.#options.log.error('viewer-journal-failed', { path: this.#path, error });
      this.#failed = true;
    }
  }
}

function parse(line: string): ViewerJoined | undefined {
  try {
    const read = viewerSessionsTopic.schema.safeParse(JSON.parse(line));
    return read.success && read.data.type === 'ViewerJoined' ? read.data : undefined;
  } catch {
    return undefined; // a crash cut it short
  }
}
