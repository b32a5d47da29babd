/** The query string of a request to ClickHouse's HTTP interface. */
import { err, ok, type Result } from '@millrace/result';
import type { QueryRefusal } from './query-text.ts';

export interface RequestTarget {
  /** The `query` parameter: the whole query, or what stands before the body. */
  readonly query: string | undefined;
  readonly database: string | undefined;
  readonly queryId: string | undefined;
  readonly defaultFormat: string;
  /** Answer only once the query has ended, so that its errors get a status of their own. */
  readonly waitEndOfQuery: boolean;
  readonly compressResponse: boolean;
  /** Values of `{name:Type}` in the query, in ClickHouse's text form. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  readonly settings: readonly (readonly [name: string, value: string])[];
}

const namePattern = /^[A-Za-z_]\w*$/;
const maxNames = 1_000;
const notSettings = new Set(
  'query database query_id default_format user password quota_key stacktrace buffer_size client_protocol_version'.split(
    ' ',
  ),
);

/** Reads the parameters; refuses, by name, what the embedded engine cannot honour. */
export function readTarget(search: URLSearchParams): Result<RequestTarget, QueryRefusal> {
  const parameters: [string, string][] = [];
  const settings: [string, string][] = [];
  const refuse = (message: string, code = 48, type = 'NOT_IMPLEMENTED') => err({ code, type, message });
  for (const [name, value] of search) {
    if (notSettings.has(name)) continue;
    if (parameters.length + settings.length >= maxNames) return refuse('too many URL parameters', 36, 'BAD_ARGUMENTS');
    if (name === 'session_id' || name === 'session_timeout' || name === 'session_check')
      return refuse(`${name}: the embedded engine has no sessions; send settings with each query`);
    if (name === 'role') return refuse('role: the embedded engine has no roles');
    if (name === 'compress' || name === 'decompress') {
      if (value === '0') continue;
      return refuse(`${name}: use HTTP compression (enable_http_compression, Content-Encoding)`);
    }
    if (name === 'wait_end_of_query' || name === 'http_wait_end_of_query') continue;
    const parameter = name.startsWith('param_') ? name.slice('param_'.length) : undefined;
    if (!namePattern.test(parameter ?? name)) return refuse(`unexpected parameter ${name}`, 36, 'BAD_ARGUMENTS');
    if (parameter === undefined) settings.push([name, value]);
    else parameters.push([parameter, value]);
  }
  const flag = (name: string) => ['1', 'true'].includes(search.get(name) ?? '');
  return ok({
    query: search.get('query') ?? undefined,
    database: search.get('database') ?? undefined,
    queryId: search.get('query_id') ?? undefined,
    defaultFormat: search.get('default_format') ?? 'TabSeparated',
    waitEndOfQuery: flag('wait_end_of_query') || flag('http_wait_end_of_query'),
    compressResponse: flag('enable_http_compression'),
    parameters,
    settings,
  });
}

/** Statements that put the settings and parameters in force on a connection; `readonly` last, as nothing can be set after it. */
export function settingStatements(target: RequestTarget, ours: Readonly<Record<string, string>>): readonly string[] {
  const quote = (value: string) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const values = new Map([...target.settings, ...Object.entries(ours)]);
  const readonly = values.get('readonly');
  values.delete('readonly');
  const assignments = [...values].map(([name, value]) => `${name}=${quote(value)}`);
  assignments.push(...target.parameters.map(([name, value]) => `param_${name}=${quote(value)}`));
  const statements =
    target.database === undefined ? [] : [`USE \`${target.database.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``];
  if (assignments.length > 0) statements.push(`SET ${assignments.join(', ')}`);
  if (readonly !== undefined) statements.push(`SET readonly=${quote(readonly)}`);
  return statements;
}
