/**
 * A process for the crash tests: opens the engine on a folder, writes a row, says where it is and waits to be killed. With `busy`
 * the engine has two queries by then that do not end: one that computes, one whose result nobody reads.
 */
import { sleep, systemClock } from '@millrace/clock';
import { silentLogger } from '@millrace/log';
import { openClickHouse } from './client.ts';
import { openEmbeddedClickHouse } from './embedded.ts';

const log = silentLogger;
const engine = await openEmbeddedClickHouse({ dataDir: process.argv[2] ?? '', memoryMb: 500, log, clock: systemClock });
const client = await openClickHouse({ url: engine.url, database: 'default', log });
await client.command({ query: 'CREATE TABLE IF NOT EXISTS notes (n Int32) ENGINE = MergeTree ORDER BY n' });
await client.command({ query: 'INSERT INTO notes VALUES (1)' });
// Its test may be killed as well.
process.stdin.once('end', () => process.exit(0)).resume();
if (process.argv[3] === 'busy') {
  const compute = 'SELECT sleepEachRow(1) FROM numbers(600) SETTINGS max_block_size = 1 FORMAT Null';
  void client.command({ query: compute });
  void client.query({ query: 'SELECT number FROM numbers(1000000000000)', format: 'JSONEachRow' });
  for (let running = 0; running < 2; await sleep(systemClock, 20)) {
    const query = "SELECT count() AS n FROM system.processes WHERE query LIKE '%FROM numbers(%'";
    const [row] = await (await client.query({ query, format: 'JSONEachRow' })).json<{ n: number }>();
    running = Number(row?.n) - 1; // itself
  }
}
process.stdout.write(`${JSON.stringify({ pid: engine.pid })}\n`);
