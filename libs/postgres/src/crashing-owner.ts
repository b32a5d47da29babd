/** A process for the crash test: opens the data folder, writes a row, says where it is and waits to be killed. */
import { silentLogger } from '@millrace/log';
import { openEmbeddedPostgres } from './embedded.ts';
import { openSql } from './sql.ts';

const postgres = await openEmbeddedPostgres({ dataDir: process.argv[2] ?? '', log: silentLogger });
const sql = openSql(postgres.connectionUrl, { applicationName: 'owner' });
await sql`CREATE TABLE IF NOT EXISTS notes (n int)`;
await sql`INSERT INTO notes VALUES (1)`;
process.stdout.write(`${JSON.stringify({ pid: postgres.pid, identity: postgres.identity.kind })}\n`);
const stop = async () => {
  await sql.end();
  await postgres[Symbol.asyncDispose]();
  process.exit(0);
};
process.once('SIGTERM', () => void stop());
setInterval(() => {}, 1_000);
