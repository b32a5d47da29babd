/** A process for the crash test: a sink between the test's PostgreSQL log and its ClickHouse, which waits to be killed. */

import { openClickHouse } from '@millrace/clickhouse';
import { systemClock } from '@millrace/clock';
import { openPostgresEventLog } from '@millrace/eventlog';
import { silentLogger } from '@millrace/log';
import { openFactSink } from '../src/inbound/fact-sink.ts';
import { createFactInsert } from '../src/outbound/fact-insert.ts';

const [logUrl = '', clickhouseUrl = '', database = ''] = process.argv.slice(2);
const deps = { log: silentLogger, clock: systemClock };
const eventLog = await openPostgresEventLog({
  ...deps,
  url: logUrl,
  source: 'crasher',
  groupLeaseMs: 600,
  takeOverMs: 200,
});
const clickhouse = await openClickHouse({ url: clickhouseUrl, database, log: silentLogger });
await openFactSink({
  ...{ eventLog, insert: createFactInsert(clickhouse), lingerMs: 20, maxRecords: 300, ...deps },
  metrics: {
    inserted: () => process.stdout.write('i'),
    insertFailed: () => {},
    parked: () => {},
    queryable: () => {},
  },
});
// Its test may be killed as well.
process.stdin.once('end', () => process.exit(0)).resume();
