/**
 * Runs queries and inserts on the engine: each on a connection of its own, so that settings and parameters never meet; bounded
 * in number, reads apart from writes, so that heavy queries hold up neither inserts nor each other's cancellation.
 */
import { createReadStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Clock, sleep } from '@millrace/clock';
import { Lane } from './lane.ts';
import type { Connection, NativeEngine } from './native-engine.ts';
import type { QueryRefusal, QueryText } from './query-text.ts';
import { type RequestTarget, settingStatements } from './request-target.ts';
import { makeResultPipes, type ResultPipe } from './result-pipe.ts';

export interface RunSummary {
  readonly rowsRead: number;
  readonly bytesRead: number;
  readonly rowsWritten: number;
  readonly bytesWritten: number;
  readonly elapsedS: number;
}

export interface RunRows {
  /** The result as the engine makes it; may hold it up by not reading. */
  readonly stream: Readable;
  /** Resolves when the query has ended well; rejects with the engine's error, possibly in the middle of `stream`. */
  readonly done: Promise<RunSummary>;
}

/** Too many queries wait already. */
export class EngineBusyError extends Error {
  readonly refusal: QueryRefusal;

  constructor(lane: string) {
    super(`too many ${lane} wait for the engine`);
    this.refusal = {
      code: 202,
      type: 'TOO_MANY_SIMULTANEOUS_QUERIES',
      message: `Too many simultaneous queries: ${lane}`,
    };
  }
}

/** The client went away while its query waited. */
export class QueryAbandonedError extends Error {}

export interface QueryRunnerOptions {
  readonly engine: NativeEngine;
  /** For pipes and results that are finished before they are sent. */
  readonly dir: string;
  readonly clock: Clock;
  readonly reads: number;
  readonly writes: number;
  readonly maxWaiting: number;
}

export class QueryRunner {
  readonly #engine: NativeEngine;
  readonly #clock: Clock;
  readonly #dir: string;
  readonly #reads: Lane;
  readonly #writes: Lane;
  readonly #pipes: ResultPipe[];
  #lastId = 0;

  constructor(options: QueryRunnerOptions) {
    this.#engine = options.engine;
    this.#clock = options.clock;
    this.#dir = options.dir;
    this.#reads = new Lane(options.reads, options.maxWaiting);
    this.#writes = new Lane(options.writes, options.maxWaiting);
    this.#pipes = makeResultPipes(options.dir, options.reads);
  }

  get running(): number {
    return this.#reads.running + this.#writes.running;
  }

  get waiting(): number {
    return this.#reads.waiting + this.#writes.waiting;
  }

  /** Runs a query that gives rows. Aborting `signal` cancels it in the engine. */
  async rows(target: RequestTarget, text: QueryText & { kind: 'rows' }, signal: AbortSignal): Promise<RunRows> {
    const slot = await this.#enter(this.#reads, 'queries', signal);
    const pipe = this.#pipes.pop();
    if (pipe === undefined) throw new Error('a slot without a pipe');
    let opened: { stream: Readable; end: () => void } | undefined;
    const leave = () => {
      this.#pipes.push(pipe);
      slot[Symbol.dispose]();
    };
    try {
      const spool = target.waitEndOfQuery
        ? join(this.#dir, `spool-${this.#lastId}-${pipe.path.split('-').pop()}`)
        : undefined;
      if (spool === undefined) opened = pipe.open();
      const path = (spool ?? pipe.path).replaceAll("'", "\\'");
      const sql = `${text.head}\nINTO OUTFILE '${path}' TRUNCATE FORMAT ${text.format ?? target.defaultFormat} ${text.tail}`;
      const run = this.#run(target, signal, async (connection) => {
        const { rowsRead, bytesRead, elapsedS } = await this.#engine.query(connection, sql, 'TabSeparated');
        return { rowsRead, bytesRead, elapsedS, rowsWritten: 0, bytesWritten: 0 };
      });
      const done = run.finally(() => opened?.end());
      done.catch(() => {}); // its reader may come later than the failure
      if (opened !== undefined) {
        // The pipe is somebody else's only when both the engine and its reader are done with it.
        const closed = new Promise<void>((resolve) => opened?.stream.once('close', resolve));
        void Promise.allSettled([done, closed]).then(leave);
        return { stream: opened.stream, done };
      }
      try {
        await done;
      } catch (error) {
        if (spool !== undefined) rmSync(spool, { force: true });
        throw error;
      }
      const stream = createReadStream(spool ?? '');
      stream.once('open', () => rmSync(spool ?? '', { force: true }));
      leave();
      return { stream, done };
    } catch (error) {
      if (opened === undefined) leave();
      throw error;
    }
  }

  /** Runs an INSERT with its rows. */
  insert(target: RequestTarget, prefix: string, rows: Uint8Array, signal: AbortSignal): Promise<RunSummary> {
    return this.#write(target, signal, async (connection) => {
      const { rowsWritten, bytesWritten, elapsedS } = await this.#engine.insert(connection, prefix, rows);
      return { rowsRead: rowsWritten, bytesRead: rows.length, rowsWritten, bytesWritten, elapsedS };
    });
  }

  /** Runs an INSERT whose rows are in a file, for bodies too large for memory. */
  insertFile(
    target: RequestTarget,
    prefix: string,
    format: string,
    path: string,
    signal: AbortSignal,
  ): Promise<RunSummary> {
    const into = prefix.slice(0, prefix.lastIndexOf(format)).replace(/FORMAT\s+$/i, '');
    const sql = `${into} FROM INFILE '${path.replaceAll("'", "\\'")}' COMPRESSION 'none' FORMAT ${format}`;
    return this.#write(target, signal, async (connection) =>
      summary(await this.#engine.query(connection, sql, 'TabSeparated')),
    );
  }

  /** Runs what gives no rows, or few; resolves with its text. */
  async command(target: RequestTarget, sql: string, signal: AbortSignal): Promise<RunSummary & { bytes: Uint8Array }> {
    let bytes: Uint8Array = new Uint8Array();
    const done = await this.#write(target, signal, async (connection) => {
      const result = await this.#engine.query(connection, sql, target.defaultFormat);
      bytes = result.bytes;
      return summary(result);
    });
    return { ...done, bytes };
  }

  async #write(
    target: RequestTarget,
    signal: AbortSignal,
    work: (connection: Connection) => Promise<RunSummary>,
  ): Promise<RunSummary> {
    using _slot = await this.#enter(this.#writes, 'inserts', signal);
    return await this.#run(target, signal, work);
  }

  async #enter(lane: Lane, name: string, signal: AbortSignal): Promise<Disposable> {
    const entered = await lane.enter(signal);
    if (entered === 'full') throw new EngineBusyError(name);
    if (entered === 'gone') throw new QueryAbandonedError('the client went away');
    return entered;
  }

  async #run(
    target: RequestTarget,
    signal: AbortSignal,
    work: (connection: Connection) => Promise<RunSummary>,
  ): Promise<RunSummary> {
    const id = `millrace-${++this.#lastId}`;
    const connection = this.#engine.connect();
    const ended = new AbortController();
    const cancel = () => void this.#cancel(id, ended.signal);
    try {
      // The engine names queries itself; the comment is how a running one is found again.
      for (const statement of settingStatements(target, { log_comment: id }))
        await this.#engine.query(connection, statement, 'TabSeparated');
      if (signal.aborted) throw new QueryAbandonedError('the client went away');
      signal.addEventListener('abort', cancel, { once: true });
      return await work(connection);
    } finally {
      ended.abort();
      signal.removeEventListener('abort', cancel);
      this.#engine.close(connection);
    }
  }

  /** Asks until the query has ended: it may not have begun when asked first. */
  async #cancel(id: string, ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      const connection = this.#engine.connect();
      const sql = `KILL QUERY WHERE Settings['log_comment'] = '${id}' ASYNC FORMAT Null`;
      await this.#engine.query(connection, sql, 'Null').catch(() => {}); // asked again
      this.#engine.close(connection);
      await sleep(this.#clock, 250, ended);
    }
  }
}

function summary(result: { rowsRead: number; bytesRead: number; elapsedS: number }): RunSummary {
  const { rowsRead, bytesRead, elapsedS } = result;
  return { rowsRead, bytesRead, elapsedS, rowsWritten: 0, bytesWritten: 0 };
}
