/**
 * What the front has to know of a query before the engine sees it: its verb, where its FORMAT clause stands, whether it ends,
 * and whether it names something that reaches out of the database. A lexer of ClickHouse SQL, no parser: strings, quoted
 * identifiers, heredocs and comments are skipped, everything else is the engine's to judge.
 */
import { err, ok, type Result } from '@millrace/result';

export type QueryText =
  /** Gives rows and may be written in any format. `head` ends where the output clauses begin; `tail` are its settings. */
  | { readonly kind: 'rows'; readonly head: string; readonly format: string | undefined; readonly tail: string }
  /** An INSERT whose rows follow the text (`VALUES` or `FORMAT x`); `data` is what of them the text itself holds. */
  | { readonly kind: 'insert'; readonly prefix: string; readonly format: string; readonly data: string }
  /** Anything else: DDL, INSERT ... SELECT, KILL, SYSTEM. */
  | { readonly kind: 'command'; readonly text: string };

/** A refusal in the server's terms. */
export interface QueryRefusal {
  readonly code: number;
  readonly type: string;
  readonly message: string;
}

interface Token {
  readonly word: string;
  readonly start: number;
  readonly end: number;
  readonly depth: number;
  /** `word` was written in backticks or double quotes. */
  readonly quoted: boolean;
}

const rowVerbs = new Set(['SELECT', 'WITH', 'SHOW', 'DESCRIBE', 'DESC', 'EXPLAIN', 'EXISTS', '(', 'FROM']);

/**
 * Table functions and engines that read or write files, other hosts or programs. A server keeps them within `user_files_path`
 * and grants; the embedded engine has neither, so they are refused for everybody.
 */
const outside = new Set(
  `file filecluster url urlcluster s3 s3cluster gcs cosn oss hdfs hdfscluster azureblobstorage azureblobstoragecluster remote
   remotesecure cluster clusterallreplicas mysql postgresql mongodb redis sqlite odbc jdbc executable executablepool input_file
   iceberg iceberglocal icebergs3 icebergazure icebergcluster deltalake deltalakelocal deltalakecluster hudi hudicluster paimon
   paimonlocal paimons3 paimonazure ytsaurus arrowflight python nats kafka rabbitmq s3queue azurequeue filelog embeddedrocksdb
   materializedpostgresql materializedmysql externaldistributed prometheusquery`.split(/\s+/),
);

/** Reads the text of one statement. */
export function readQuery(sql: string): Result<QueryText, QueryRefusal> {
  const lexed = lex(sql);
  if (!lexed.ok) return lexed;
  const { tokens, end } = lexed.value;
  const first = tokens[0];
  if (first === undefined) return err({ code: 62, type: 'SYNTAX_ERROR', message: 'Syntax error: Empty query' });
  const refusal = refusalOf(tokens);
  if (refusal !== undefined) return err(refusal);
  const verb = first.word.toUpperCase();
  if (verb === 'INSERT') {
    const data = dataClause(tokens);
    if (data === undefined) return ok({ kind: 'command', text: sql.slice(0, end) });
    return ok({ kind: 'insert', prefix: sql.slice(0, data.end), format: data.format, data: sql.slice(data.end) });
  }
  if (!rowVerbs.has(verb)) return ok({ kind: 'command', text: sql.slice(0, end) });
  for (let index = tokens.length - 2; index > 0; index--) {
    const [word, name, after] = [tokens[index], tokens[index + 1], tokens[index + 2]];
    if (word === undefined || name === undefined || !is(word, 'FORMAT') || !/^\w+$/.test(name.word)) continue;
    if (after !== undefined && !is(after, 'SETTINGS')) continue;
    return ok({ kind: 'rows', head: sql.slice(0, word.start), format: name.word, tail: sql.slice(name.end, end) });
  }
  return ok({ kind: 'rows', head: sql.slice(0, end), format: undefined, tail: '' });
}

function is(token: Token | undefined, word: string): boolean {
  return token !== undefined && !token.quoted && token.depth === 0 && token.word.toUpperCase() === word;
}

function dataClause(tokens: readonly Token[]): { format: string; end: number } | undefined {
  for (const [index, token] of tokens.entries()) {
    if (is(token, 'SELECT') || is(token, 'WITH')) return undefined;
    if (is(token, 'VALUES')) return { format: 'Values', end: token.end };
    const name = tokens[index + 1];
    if (is(token, 'FORMAT') && name !== undefined) return { format: name.word, end: name.end };
  }
  return undefined;
}

function refusalOf(tokens: readonly Token[]): QueryRefusal | undefined {
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1];
    const unquoted = (word: Token | undefined, text: string) =>
      word?.quoted === false && word.word.toUpperCase() === text;
    if (unquoted(token, 'INTO') && unquoted(next, 'OUTFILE'))
      return { code: 348, type: 'INTO_OUTFILE_NOT_ALLOWED', message: 'INTO OUTFILE is not allowed' };
    if (unquoted(token, 'FROM') && unquoted(next, 'INFILE'))
      return { code: 497, type: 'ACCESS_DENIED', message: 'FROM INFILE is not allowed' };
    const before = tokens[index - 1]?.word;
    const called = next?.word === '(' || before === '=' || before?.toUpperCase() === 'ENGINE';
    if (called && outside.has(token.word.toLowerCase())) {
      const message = `${token.word} reaches out of the database and is not available in the embedded engine`;
      return { code: 497, type: 'ACCESS_DENIED', message };
    }
    if (unquoted(token, 'SOURCE') && next?.word === '(')
      return {
        code: 497,
        type: 'ACCESS_DENIED',
        message: 'dictionary sources are not available in the embedded engine',
      };
  }
  return undefined;
}

/** Words, names, `(`, `)` and `=` outside of strings and comments, up to the end of the statement; of an INSERT, up to its data. */
function lex(sql: string): Result<{ tokens: readonly Token[]; end: number }, QueryRefusal> {
  const tokens: Token[] = [];
  let depth = 0;
  let end: number | undefined;
  let at = 0;
  const syntax = (message: string) => err({ code: 62, type: 'SYNTAX_ERROR', message: `Syntax error ${message}` });
  const pattern =
    /\s+|--[^\n]*|#[! ][^\n]*|\/\*|'(?:[^'\\]|\\[\s\S]|'')*'|`(?:[^`\\]|\\[\s\S]|``)*`|"(?:[^"\\]|\\[\s\S]|"")*"|\$(\w*)\$|[A-Za-z_]\w*|[0-9][\w.]*|[\s\S]/gy;
  while (at < sql.length) {
    pattern.lastIndex = at;
    const text = pattern.exec(sql)?.[0] ?? '';
    const start = at;
    at += text.length;
    if (text === '/*') {
      at = blockCommentEnd(sql, at);
      continue;
    }
    if (/^(\s|--|#[! ]|')/.test(text) && text !== "'") continue;
    if (/^\$\w*\$$/.test(text)) {
      const close = sql.indexOf(text, at);
      if (close < 0) return syntax(`(heredoc ${text} does not end)`);
      at = close + text.length;
      continue;
    }
    if (text === "'" || text === '`' || text === '"')
      return syntax(`at position ${start + 1}: ${text} without its other end`);
    if (end !== undefined && text !== ';')
      return syntax(`(Multi-statements are not allowed): failed at position ${start + 1}`);
    if (text === ';') {
      end ??= start;
      continue;
    }
    if (text === ')') depth--;
    const quoted = text.length > 1 && (text.startsWith('`') || text.startsWith('"'));
    if (quoted || /^[\w(=]/.test(text) || text === ')')
      tokens.push({ word: quoted ? text.slice(1, -1) : text, start, end: at, depth, quoted });
    if (text === '(') depth++;
    if (tokens[0]?.word.toUpperCase() === 'INSERT' && dataClause(tokens) !== undefined)
      return ok({ tokens, end: sql.length });
  }
  return ok({ tokens, end: end ?? sql.length });
}

/** Comments nest. */
function blockCommentEnd(sql: string, from: number): number {
  let open = 1;
  const mark = /\/\*|\*\//g;
  mark.lastIndex = from;
  for (let found = mark.exec(sql); found !== null; found = mark.exec(sql)) {
    open += found[0] === '/*' ? 1 : -1;
    if (open === 0) return mark.lastIndex;
  }
  return sql.length;
}
