import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitStatements } from '../statements.ts';
import { readQuery } from './query-text.ts';

const kind = (sql: string) => {
  const read = readQuery(sql);
  return read.ok ? read.value : read.error;
};

describe('a query', () => {
  it('that gives rows is split before its output clauses', () => {
    const cases: readonly (readonly [sql: string, head: string, format: string | undefined, tail: string])[] = [
      ['SELECT 1', 'SELECT 1', undefined, ''],
      ['SELECT 1 FORMAT JSON', 'SELECT 1 ', 'JSON', ''],
      ['select 1 format CSV;', 'select 1 ', 'CSV', ''],
      ['SELECT 1\nFORMAT JSON SETTINGS max_threads=1', 'SELECT 1\n', 'JSON', ' SETTINGS max_threads=1'],
      ['SELECT 1 FORMAT JSON -- done', 'SELECT 1 ', 'JSON', ' -- done'],
      ["SELECT 'x FORMAT JSON' AS format", "SELECT 'x FORMAT JSON' AS format", undefined, ''],
      ['SELECT a FROM format', 'SELECT a FROM format', undefined, ''],
      ['(SELECT 1) UNION ALL (SELECT 2) FORMAT TSV', '(SELECT 1) UNION ALL (SELECT 2) ', 'TSV', ''],
      ['WITH 1 AS x SELECT x', 'WITH 1 AS x SELECT x', undefined, ''],
      ['/* a /* nested */ ; */ SHOW TABLES', '/* a /* nested */ ; */ SHOW TABLES', undefined, ''],
      ['SELECT $$ ; FORMAT x $$', 'SELECT $$ ; FORMAT x $$', undefined, ''],
    ];
    for (const [sql, head, format, tail] of cases) expect(kind(sql)).toEqual({ kind: 'rows', head, format, tail });
  });

  it('that inserts is split where its rows begin', () => {
    expect(kind('INSERT INTO t (a) FORMAT JSONEachRow')).toMatchObject({
      kind: 'insert',
      format: 'JSONEachRow',
      data: '',
    });
    expect(kind('INSERT INTO t FORMAT CSV\n1,"; a\'b"')).toMatchObject({ kind: 'insert', data: '\n1,"; a\'b"' });
    expect(kind("INSERT INTO t VALUES ('a;b')")).toMatchObject({ kind: 'insert', format: 'Values', data: " ('a;b')" });
    expect(kind('INSERT INTO t SELECT 1')).toMatchObject({ kind: 'command' });
  });

  it('may not be two, nor reach for files, hosts or programs, however it is written', () => {
    expect(kind('SELECT 1; SELECT 2')).toMatchObject({ code: 62 });
    for (const sql of [
      "SELECT * FROM file('/etc/passwd')",
      "SELECT * FROM FILE ('/etc/passwd')",
      "SELECT * FROM `file`('/etc/passwd')",
      "SELECT * FROM /* x */ url/**/('http://localhost')",
      "INSERT INTO FUNCTION file('/tmp/x') SELECT 1",
      'CREATE TABLE x (a Int8) ENGINE = File(CSV)',
      'CREATE TABLE x (a Int8) ENGINE File(CSV)',
      "CREATE DICTIONARY d (a Int8) PRIMARY KEY a SOURCE(EXECUTABLE(COMMAND 'id' FORMAT CSV)) LAYOUT(FLAT())",
      "SELECT * FROM remote('127.0.0.1', system.one)",
      "SELECT * FROM executable('id', TSV, 'a String')",
    ]) {
      expect(kind(sql), sql).toMatchObject({ code: 497 });
    }
    expect(kind("SELECT 1 INTO OUTFILE '/tmp/x'")).toMatchObject({ code: 348 });
    expect(kind("INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV")).toMatchObject({ code: 497 });
    expect(kind("SELECT 'file(1)', file FROM t WHERE url = 1")).toMatchObject({ kind: 'rows' });
  });

  it('is read without a fault whatever it holds', () => {
    const piece = fc.constantFrom(
      "'",
      '"',
      '`',
      '\\',
      ';',
      '/*',
      '*/',
      '--',
      '\n',
      '$$',
      '(',
      ')',
      'FORMAT',
      'SELECT',
      ' ',
      'INSERT',
      'x',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const read = readQuery(pieces.join(''));
        if (read.ok && read.value.kind === 'rows') {
          expect(pieces.join('').startsWith(read.value.head)).toBe(true);
        }
      }),
    );
  });
});

describe('the statements of a file', () => {
  it('are what stands between semicolons, wherever else semicolons stand', () => {
    const text = '-- one; two\nCREATE TABLE a (s String DEFAULT \';\');\n/* ; */\nSELECT `a;b`, "c;d";\n\n-- end;\n';
    expect(splitStatements(text)).toHaveLength(2);
  });

  it('are as many as were written', () => {
    const statement = fc.constantFrom(
      "SELECT ';'",
      'SELECT 1 -- x;\n',
      'SELECT `;`',
      'SELECT /* ; */ 1',
      "SELECT 'it\\'s;'",
    );
    fc.assert(
      fc.property(fc.array(statement, { minLength: 1 }), (statements) => {
        expect(splitStatements(statements.join(';\n'))).toHaveLength(statements.length);
      }),
    );
  });
});
