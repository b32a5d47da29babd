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

// longest first; a character that is in none of them is refused
const operators = [
  '<=>',
  '::',
  '||',
  '==',
  '!=',
  '<>',
  '<=',
  '>=',
  '->',
  '+',
  '-',
  '*',
  '/',
  '%',
  '=',
  '<',
  '>',
  '(',
  ')',
  '[',
  ']',
  ',',
  '.',
  '?',
  ':',
];
const tokenPattern =
  /\s+|--[^\n]*|\/\*[\s\S]*?\*\/|[A-Za-z_][A-Za-z0-9_]*|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|'(?:[^'\\]|''|\\[\s\S])*'|`[A-Za-z_][A-Za-z0-9_ ]*`|"[A-Za-z_][A-Za-z0-9_ ]*"|[^\s\w'`"]+/y;
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
    if (token === undefined)
      return refuse(`expected SQL, got ${JSON.stringify(source.slice(at, at + 20))} at character ${at + 1}`);
    at += token.length;
    const first = token.charAt(0);
    if (/\s/.test(first) || token.startsWith('--') || token.startsWith('/*')) continue;
    if (first === "'") written.push(quoted(token));
    else if (first === '`' || first === '"') written.push(`\`${token.slice(1, -1)}\``);
    else if (/\w/.test(first)) {
      const before = written.at(-1);
      if (forbidden.has(token.toLowerCase()) && before !== '.')
        return refuse(`${token.toUpperCase()} is not for analysts: the call's "format" says how the answer comes`);
      written.push(token);
    } else {
      const parts = split(token);
      if (parts === undefined)
        return refuse(
          `expected SQL of one SELECT, got ${JSON.stringify(token.slice(0, 20))} at character ${at - token.length + 1}`,
        );
      // a run of operators may hold a comment's start
      const cut = Math.min(
        ...['--', '/*'].map((start) => (token.includes(start) ? token.indexOf(start) : token.length)),
      );
      if (cut < token.length) {
        at -= token.length - cut;
        if (cut === 0) return refuse('expected a comment to be closed');
      }
      for (const part of cut < token.length ? (split(token.slice(0, cut)) ?? []) : parts) {
        if (part === '(' || part === '[') depth++;
        if (part === ')' || part === ']') depth--;
        if (depth < 0) return refuse('expected every parenthesis to be opened before it is closed');
        if (depth > mostDepth) return refuse(`expected at most ${mostDepth} parentheses within each other`);
        written.push(part);
      }
    }
  }
  if (depth > 0) return refuse('expected every parenthesis to be closed');
  const verb = written[0]?.toLowerCase();
  if (verb !== 'select' && verb !== 'with') return refuse('expected a statement that begins with SELECT or WITH');
  return ok(written.join(' ').replaceAll(' . ', '.'));
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

function split(run: string): string[] | undefined {
  const parts: string[] = [];
  let rest = run;
  while (rest !== '') {
    const operator = operators.find((one) => rest.startsWith(one));
    if (operator === undefined) return undefined;
    parts.push(operator);
    rest = rest.slice(operator.length);
  }
  return parts;
}
