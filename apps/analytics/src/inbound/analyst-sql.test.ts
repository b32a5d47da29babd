/** Attempts to get out of what analysts may read. Each came to somebody's mind once; they all stay. */

import { record } from '@millrace/eventlog';
import { beaconsTopic, liveStreamsTopic, type StreamDefinition, viewerSessionsTopic } from '@millrace/events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestAnalytics, type TestAnalytics } from '../testing.ts';

const [mine, other] = ['own_mine', 'own_other'];
let analytics: TestAnalytics;
let token: string;
let admin: string;
let theirs: StreamDefinition;

interface SqlAnswer {
  readonly columns: { name: string; type: string }[];
  readonly rows: unknown[][];
  readonly truncated: boolean;
  readonly detail?: string;
}
const run = (query: string, as = token) => analytics.call<SqlAnswer>('POST', '/api/v1/analytics/sql', as, { query });

beforeAll(async () => {
  analytics = await openTestAnalytics();
  token = await analytics.tokenOf('analyst', mine);
  admin = await analytics.tokenOf('admin', 'own_admin');
  const own = await analytics.addStream(mine, 'mine');
  theirs = await analytics.addStream(other, 'SECRET title');
  const facts = [own, theirs].flatMap(({ stream_id, playback_id, owner_id }, i) => {
    const viewer = {
      session_id: `ses_${i}`,
      stream_id,
      playback_id,
      owner_id,
      instance_id: 'i',
      at_ms: 1_767_322_800_000,
    };
    const who = {
      joined_at_ms: viewer.at_ms,
      viewer_hash: 'SECRET',
      device: 'tv' as const,
      player: 'x',
      resumed: false,
    };
    const broadcast = {
      stream_id,
      owner_id,
      epoch: 1,
      publish_id: 'p',
      instance_id: 'i',
      at_ms: viewer.at_ms,
      key_id: 'SECRET',
    };
    return [
      record(viewerSessionsTopic, { ...viewer, ...who, type: 'ViewerJoined' }),
      record(beaconsTopic, { ...viewer, type: 'BeaconReceived', version: 2, mode: 'event', state: 'p' }),
      record(liveStreamsTopic, { ...broadcast, type: 'StreamPublished' }),
    ];
  });
  await analytics.eventLog.publish(facts);
  await analytics.untilCount(
    'SELECT least((SELECT count() FROM beacons), (SELECT count() FROM viewer_events), (SELECT count() FROM stream_events), (SELECT uniqExact(stream_id) FROM streams))',
    2,
  );
}, 60_000);
afterAll(async () => analytics[Symbol.asyncDispose]());

describe('an analyst', () => {
  it('reads the views with joins, windows, common table expressions, comments and any order', async () => {
    const { body, status, text } = await run(`
      -- who watched
      WITH watched AS (SELECT stream_id, count() AS n, quantile(0.5)(watch_ms) AS p50 FROM v_sessions GROUP BY stream_id)
      SELECT s.title, w.n, row_number() OVER (ORDER BY w.n DESC) AS place, 'it''s -- not a comment' AS note
      FROM watched AS w /* names */ INNER JOIN v_streams AS s USING (stream_id)
      WHERE s.created_at > now() - INTERVAL 1 DAY AND s.title NOT IN ('x') ORDER BY place;`);
    expect(status, text).toBe(200);
    expect(body.rows).toEqual([['mine', '1', '1', "it's -- not a comment"]]);
    expect(body.columns.map((column) => column.name)).toEqual(['title', 'n', 'place', 'note']);
  });

  it('gets rows of own streams only, in every view; an admin gets all', async () => {
    for (const view of ['v_streams', 'v_sessions', 'v_beacons', 'v_minutes', 'v_broadcasts']) {
      const sql = `SELECT uniqExact(stream_id), countIf(stream_id = '${theirs.stream_id}') FROM ${view}`;
      expect((await run(sql)).body.rows, view).toEqual([['1', '0']]);
      expect((await run(sql, admin)).body.rows[0]?.[0], view).toBe('2');
    }
    for (const view of ['v_ingest', 'v_audience', 'v_renditions']) {
      expect((await run(`SELECT count() FROM ${view}`)).status, view).toBe(200);
    }
  });

  it('gets the order asked for and is told when there was more', async () => {
    const { body } = await run('SELECT arrayJoin(range(300)) AS n ORDER BY n DESC');
    expect(body.truncated).toBe(true);
    expect(body.rows.length).toBe(100);
    expect(body.rows.slice(0, 2)).toEqual([['299'], ['298']].map(([n]) => [Number(n)]));
  });

  it('is told what is wrong with a statement', async () => {
    expect((await run('SELECT nothing FROM v_sessions')).body.detail).toContain('nothing');
    expect((await run('SELECT * FROM v_session')).body.detail).toContain('v_session');
    expect((await run('SELECT (1')).body.detail).toContain('parenthesis');
  });

  it('is stopped by the limits with what to narrow', async () => {
    const crossed = (name: string) => `(SELECT arrayJoin(range(10000)) AS ${name}) AS of_${name}`;
    const { status, body } = await run(`SELECT groupArray(a + b) FROM ${crossed('a')} CROSS JOIN ${crossed('b')}`);
    expect([422, 504], body.detail).toContain(status);
    expect(body.detail).toContain('limit');
    const folded = await run('SELECT groupArray(x) FROM (SELECT arrayJoin(range(90000000)) AS x)');
    expect([folded.status, folded.body.detail]).toEqual([400, expect.stringContaining('range')]);
  });
});

/** Statements that must not run, by whom they would serve. */
const attempts = [
  // other tables and databases
  'SELECT * FROM sessions',
  'SELECT * FROM session_states',
  'SELECT * FROM {db}.v_sessions',
  'SELECT * FROM {db}.beacons',
  'SELECT * FROM system.tables',
  'SELECT * FROM information_schema.tables',
  'SELECT * FROM `system`.`settings`',
  'SELECT * FROM "system".users',
  'SELECT * FROM (SELECT * FROM (SELECT * FROM streams))',
  'SELECT * FROM v_sessions UNION ALL SELECT * FROM {db}.v_sessions',
  'SELECT (SELECT max(title) FROM streams)',
  'SELECT 1 WHERE EXISTS (SELECT 1 FROM streams)',
  'SELECT * FROM v_sessions AS a JOIN streams AS b USING (stream_id)',
  "SELECT ('a', 'b') IN streams",
  "SELECT 'a' IN {db}.streams",
  "SELECT 'a' GLOBAL NOT IN streams",
  "SELECT in('a', streams)",
  // a name of one's own that stands for a real table elsewhere
  'SELECT * FROM (WITH streams AS (SELECT 1) SELECT * FROM streams), streams',
  'WITH beacons AS (SELECT 1 AS x) SELECT * FROM beacons',
  // table functions
  ...[
    "url('http://127.0.0.1:1/', 'CSV', 'a String')",
    "file('/etc/passwd', 'CSV', 'a String')",
    "remote('127.0.0.1', system.one)",
    "s3('http://127.0.0.1:1/x')",
    "merge('.*', '.*')",
    "executable('x', 'CSV', 'a String', (SELECT 1))",
    "mysql('127.0.0.1', 'a', 'b', 'c', 'd')",
    'numbers(10)',
    'view(SELECT * FROM streams)',
    "viewIfPermitted(SELECT 1 ELSE null('x String'))",
    "cluster('default', system.one)",
    "input('a String')",
    "values('a String', 'b')",
    "format(CSV, 'a')",
    'loop(streams)',
    'mergeTreeIndex(currentDatabase(), sessions)',
    "dictionary('x')",
    "python('x')",
    'clusterAllReplicas(default, system.one)',
    "generateRandom('a UInt8')",
  ].map((call) => `SELECT * FROM ${call}`),
  // functions that reach out or tell about the house
  "SELECT file('/etc/passwd')",
  "SELECT FILE('/etc/passwd')",
  "SELECT `file`('/etc/passwd')",
  "SELECT joinGet('x', 'y', 1)",
  "SELECT dictGet('x', 'y', 1)",
  "SELECT getSetting('readonly')",
  'SELECT currentDatabase(), currentUser(), hostName(), version()',
  "SELECT getMacro('x')",
  'SELECT sleep(3)',
  'SELECT sleepEachRow(3)',
  "SELECT throwIf(1, 'x')",
  "SELECT hasColumnInTable('system', 'one', 'dummy')",
  'SELECT evalMLMethod(1, 2)',
  "SELECT catboostEvaluate('x', 1)",
  'SELECT showCertificate()',
  'SELECT addressToLine(1)',
  "SELECT initializeAggregation('count', 1)",
  "SELECT arrayReduce('groupArray', [1])",
  'SELECT filesystemAvailable()',
  'SELECT * APPLY(file) FROM v_sessions',
  'SELECT * APPLY(x -> file(x)) FROM v_sessions',
  "SELECT COLUMNS('.*') FROM v_sessions",
  "SELECT * REPLACE(file('/etc/passwd') AS title) FROM v_streams",
  "SELECT arrayMap(x -> file(x), ['/etc/passwd'])",
  "WITH file('/etc/passwd') AS x SELECT x",
  "SELECT count() FROM v_sessions ORDER BY file('/etc/passwd')",
  "SELECT count() OVER (PARTITION BY file('/etc/passwd')) FROM v_sessions",
  "SELECT * FROM v_sessions LIMIT length(file('/etc/passwd'))",
  "SELECT * FROM v_sessions ARRAY JOIN splitByChar(':', file('/etc/passwd')) AS x",
  // out of the parentheses, out of the statement
  'SELECT 1) UNION ALL SELECT * FROM (SELECT title FROM streams',
  'SELECT 1) FROM v_streams; SELECT * FROM (SELECT 1',
  'SELECT 1; SELECT 2',
  'SELECT 1; DROP TABLE streams',
  'SELECT 1 ) -- ',
  'SELECT 1 /* -- */ ) /*',
  'SELECT 1 /* ',
  'SELECT 1 */ FROM (',
  "SELECT 'a",
  "SELECT 'a\\",
  'SELECT `a',
  'SELECT $$a$$',
  'SELECT $x$ ) UNION ALL SELECT title FROM streams -- $x$',
  'SELECT 1 # a comment\n',
  'SELECT {owner:String}',
  'SELECT {owner:Identifier} FROM v_streams',
  "SELECT 1 INTO OUTFILE '/tmp/millrace-outfile'",
  'SELECT 1 FORMAT Null',
  'SELECT 1 SETTINGS readonly = 0',
  'SELECT * FROM (SELECT 1 SETTINGS max_execution_time = 0)',
  'SELECT * FROM v_sessions SETTINGS additional_table_filters = map()',
  'SELECT 1\u0000',
  'SELECT 1\u2028UNION ALL SELECT title FROM streams',
  'SELECT “x”',
  // what is not a SELECT
  'DROP TABLE streams',
  'INSERT INTO streams SELECT * FROM streams',
  'SHOW TABLES',
  'DESCRIBE streams',
  'EXPLAIN SELECT 1',
  'SELECT * FROM (EXPLAIN SELECT * FROM streams)',
  'SET readonly = 0',
  'SYSTEM SHUTDOWN',
  'KILL QUERY WHERE 1',
  'ALTER TABLE streams DELETE WHERE 1',
  'CREATE TABLE x (a Int8) ENGINE = Memory',
  'FROM streams SELECT *',
  '(SELECT 1)',
  'VALUES (1)',
  'USE system',
];

describe('what is not for analysts', () => {
  it.each(attempts)('%s', async (attempt) => {
    const { status, text } = await run(attempt.replaceAll('{db}', analytics.warehouse.database), admin);
    expect(status, text).toBe(400);
    expect(text).not.toContain('root:');
  });

  it('never shows an owner what is somebody else’s, however the question is put', async () => {
    const disguises = [
      `SELECT * FROM v_streams WHERE 1 OR owner_id = '${other}'`,
      'SELECT * FROM v_sessions AS streams',
      'WITH v_sessions AS (SELECT * FROM v_streams) SELECT * FROM v_sessions',
      'SELECT owner_id, title FROM v_streams UNION ALL SELECT owner_id, title FROM v_streams',
      'SELECT a.title FROM v_streams AS a FULL JOIN v_streams AS b ON 1 = 1',
      'SELECT (SELECT groupArray(title) FROM v_streams)',
      'SELECT * FROM v_sessions WHERE session_id IN (SELECT session_id FROM v_beacons)',
      'WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT n, title FROM t, v_streams',
      'SELECT groupArray(tuple(*)) FROM v_sessions',
    ];
    for (const sql of disguises) {
      const { text } = await run(sql);
      expect(text, sql).not.toContain('SECRET title');
      expect(text, sql).not.toContain(theirs.stream_id);
      expect(text, sql).not.toContain(other);
    }
  });

  it('is refused to viewers and to nobody in particular', async () => {
    expect((await run('SELECT 1', await analytics.tokenOf('viewer', mine))).status).toBe(403);
    expect((await analytics.call('POST', '/api/v1/analytics/sql', undefined, { query: 'SELECT 1' })).status).toBe(401);
  });
});
