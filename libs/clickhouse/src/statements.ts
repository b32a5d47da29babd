/** The statements of a SQL file: split at semicolons that stand outside of strings, quoted names, heredocs and comments. */
export function splitStatements(text: string): readonly string[] {
  const pattern =
    /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\]|\\[\s\S]|'')*'|`(?:[^`\\]|\\[\s\S])*`|"(?:[^"\\]|\\[\s\S])*"|\$(\w*)\$[\s\S]*?\$\1\$|;/g;
  const statements: string[] = [];
  let from = 0;
  for (const found of text.matchAll(pattern)) {
    if (found[0] !== ';') continue;
    statements.push(text.slice(from, found.index));
    from = found.index + 1;
  }
  statements.push(text.slice(from));
  return statements.filter((statement) => statement.replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, '').trim() !== '');
}
