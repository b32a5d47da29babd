/**
 * The text of an analyst's statement, read into tokens and written anew, so that what ClickHouse parses is what was checked here:
 * no comments, one kind of quotes, no statement after the first, parentheses that close where they should. What a SELECT over
 * the views does not need does not pass: settings, formats, files, parameters, heredocs.
 */
import { err, ok, type Result } from '@millrace/result';

export interface TextRefusal {
  readonly kind: 'text';
  readonly message: string;
}

// comments first, operators longest first; what is none of these is refused. Blanks and letters are those of ASCII: U+2028 or a
// typographic quote is whatever ClickHouse thinks it is.
const tokenPattern =
  /[ \t\r\n]+|--[^\n]*|\/\*[\s\S]*?\*\/|[A-Za-z_][A-Za-z0-9_]*|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![A-Za-z0-9_])|'(?:[^'\\\0]|''|\\[\s\S])*'|`[A-Za-z_][A-Za-z0-9_ ]*`|"[A-Za-z_][A-Za-z0-9_ ]*"|<=>|::|\|\||==|!=|<>|<=|>=|->|[-+*/%=<>()[\],.?:]/y;
const forbidden = new Set(['settings', 'format', 'into', 'outfile', 'insert', 'infile']);
const mostDepth = 60;

/** Reads the statement; the result is to be put between parentheses. */
export function readAnalystText(text: string): Result<string, TextRefusal> {
  const refuse = (message: string) => err({ kind: 'text', message } as const);
  const written: string[] = [];
  let depth = 0;
  let at = 0;
  const source = text.trim().replace(/;\s*$/, '');
  while (at < source.length) {
    tokenPattern.lastIndex = at;
    const token = tokenPattern.exec(source)?.[0];
    if (token === undefined) {
      return refuse(`expected one SELECT, got ${JSON.stringify(source.slice(at, at + 20))} at character ${at + 1}`);
    }
    if (token === '/' && source[at + 1] === '*') return refuse('expected the comment to be closed');
    at += token.length;
    const first = token.charAt(0);
    if (' \t\r\n'.includes(first) || token.startsWith('--') || token.startsWith('/*')) continue;
    if (forbidden.has(token.toLowerCase()) && written.at(-1) !== '.') {
      return refuse(`${token.toUpperCase()} is not for analysts: the call's "format" says how the answer comes`);
    }
    if (first === '(' || first === '[') depth++;
    if (first === ')' || first === ']') depth--;
    if (depth < 0) return refuse('expected every parenthesis to be opened before it is closed');
    if (depth > mostDepth) return refuse(`expected at most ${mostDepth} parentheses within each other`);
    if (first === "'") written.push(quoted(token));
    else written.push(first === '`' || first === '"' ? `\`${token.slice(1, -1)}\`` : token);
  }
  if (depth > 0) return refuse('expected every parenthesis to be closed');
  const verb = written[0]?.toLowerCase();
  if (verb !== 'select' && verb !== 'with') return refuse('expected a statement that begins with SELECT or WITH');
  // blanks between all tokens: no two of them can become a third
  return ok(written.join(' '));
}

/** A string literal with nothing in it that could end it early. */
function quoted(token: string): string {
  const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', 0: '\0', b: '\b', f: '\f' };
  const value = token
    .slice(1, -1)
    .replaceAll(/''|\\([\s\S])/g, (all, escaped: string | undefined) =>
      escaped === undefined ? "'" : (escapes[escaped] ?? (/[%_]/.test(escaped) ? all : escaped)),
    );
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
