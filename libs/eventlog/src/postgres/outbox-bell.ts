/**
 * Tells the process that empties the outbox of commits, after them: NOTIFY inside a transaction makes every commit wait for the one
 * before, its flush to disk included. One at a time, and one more for all that committed meanwhile. A lost one costs a poll.
 */
import type { LogDatabase } from './log-database.ts';
import { outboxChannel } from './outbox-writer.ts';

export class OutboxBell {
  readonly #database: LogDatabase;
  #ringing = false;
  #again = false;

  constructor(database: LogDatabase) {
    this.#database = database;
  }

  ring(): void {
    this.#again = true;
    if (this.#ringing) return;
    this.#ringing = true;
    void this.#run(); // never rejects
  }

  async #run(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        const sql = await this.#database.sql();
        await sql`SELECT pg_notify(${outboxChannel}, '')`;
      }
    } catch {
      // the database is away: whoever empties the outbox looks by itself when it is back
    } finally {
      this.#ringing = false;
    }
  }
}
