/**
 * What an analyst's statement is made of, by ClickHouse's own parser (`EXPLAIN AST`, which parses and does nothing else). Kinds of
 * nodes, tables and functions are lists of what is allowed.
 */
import { err, ok, type Result } from '@millrace/result';
import { mayCall } from './analyst-functions.ts';

export interface TreeRefusal {
  readonly kind: 'name';
  readonly message: string;
}

const kinds = new Set(
  `SelectWithUnionQuery SelectIntersectExceptQuery SelectQuery ExpressionList TablesInSelectQuery TablesInSelectQueryElement
   TableExpression TableIdentifier TableJoin ArrayJoin Subquery WithElement Identifier Literal Function Asterisk
   QualifiedAsterisk OrderByElement FillModifier InterpolateElement WindowDefinition WindowListElement StorageOrderByElement`.split(
    /\s+/,
  ),
);
const tablePlaces = new Set(['TableExpression']);
const rowFunctions = new Set([
  'in',
  'notin',
  'globalin',
  'globalnotin',
  'nullin',
  'notnullin',
  'globalnullin',
  'globalnotnullin',
  'innotnull',
]);

interface Node {
  readonly kind: string;
  /** What stands after the kind, without the count of children. */
  readonly said: string;
  readonly parent: Node | undefined;
  readonly depth: number;
  readonly children: Node[];
}

/**
 * Checks what `EXPLAIN AST` gives, a line a node: `views` are the tables that may be named. Gives the other names that stand for tables: they may
 * be the statement's own common table expressions, which the tree does not tell, but never tables that exist.
 */
export function checkTree(text: string, views: ReadonlySet<string>): Result<readonly string[], TreeRefusal> {
  const refuse = (message: string) => err({ kind: 'name', message } as const);
  const nodes = parse(text.trimEnd());
  if (nodes === undefined) return refuse('the statement could not be read');
  const own = new Set<string>();
  const names = [...views].sort().join(', ');
  for (const node of nodes) {
    if (!kinds.has(node.kind)) return refuse(`${node.kind} is not for analysts`);
    if (node.kind !== 'TableIdentifier') continue;
    const name = nameOf(node);
    // a SELECT without FROM reads system.one: a row that holds nothing
    if (views.has(name) || name === 'system.one') continue;
    if (!/^[A-Za-z_]\w*$/.test(name))
      return refuse(`there is no table ${name}: expected the bare name of one of ${names}`);
    own.add(name);
  }
  for (const node of nodes) {
    if (node.kind !== 'Function') continue;
    const name = nameOf(node);
    if (node.parent !== undefined && tablePlaces.has(node.parent.kind)) {
      return refuse(`the table function ${name} is not for analysts: expected one of ${names}`);
    }
    if (!mayCall(name)) return refuse(`the function ${name} is not for analysts`);
    // `x IN name` would read a table of that name
    const right = rowFunctions.has(name.toLowerCase()) ? node.children[0]?.children[1] : undefined;
    if (right !== undefined && !['Subquery', 'Literal', 'Function'].includes(right.kind)) {
      return refuse(`expected a list or a subquery after IN, got ${nameOf(right)}`);
    }
  }
  return ok([...own]);
}

/**
 * The nodes in the order of the lines. Undefined when a line is not understood, or when a node has not as many children as it says:
 * what is not whole is not judged.
 */
function parse(text: string): Node[] | undefined {
  const nodes: Node[] = [];
  const announced: number[] = [];
  for (const line of text.split('\n')) {
    const match = /^( *)([A-Z][A-Za-z]*)(?: (.*))?$/.exec(line);
    if (match === null) return undefined;
    const [, indent = '', kind = '', rest = ''] = match;
    let parent = nodes.at(-1);
    while (parent !== undefined && parent.depth >= indent.length) parent = parent.parent;
    if (parent === undefined && nodes.length > 0) return undefined;
    const children = /\(children (\d+)\)$/.exec(rest);
    announced.push(Number(children?.[1] ?? 0));
    const said = rest.slice(0, children?.index ?? rest.length).trim();
    const node: Node = { kind, said, parent, depth: indent.length, children: [] };
    parent?.children.push(node);
    nodes.push(node);
  }
  return nodes.every((node, i) => node.children.length === announced[i]) ? nodes : undefined;
}

/** The name in a node; an alias stands after it. */
function nameOf(node: Node): string {
  return node.said.replace(/ \(alias .*\)$/, '');
}
