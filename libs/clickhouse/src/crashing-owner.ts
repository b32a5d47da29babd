/** A process for the crash test: opens the engine on a folder, writes a row, says where it is and waits to be killed. */
import { systemClock } from '@millrace/clock';
import { silentLogger } from '@millrace/log';
import { openClickHouse } from './client.ts';
import { openEmbeddedClickHouse } from './embedded.ts';

const log = silentLogger;
const engine = await openEmbeddedClickHouse({ dataDir: process.argv[2] ?? '', memoryMb: 500, log, clock: systemClock });
const client = await openClickHouse({ url: engine.url, database: 'default', log });
await client.command({ query: 'CREATE TABLE IF NOT EXISTS notes (n Int32) ENGINE = MergeTree ORDER BY n' });
await client.command({ query: 'INSERT INTO notes VALUES (1)' });
process.stdout.write(`${JSON.stringify({ pid: engine.pid })}\n`);
// Its test may be killed as well.
process.stdin.once('end', () => process.exit(0)).resume();
