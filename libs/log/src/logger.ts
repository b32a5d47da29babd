/**
 * Structured logs on pino: the event name first, ids as fields. WARN means recovered, ERROR means data lost or an
 * operator is needed. `pretty` prints one human line an event for a terminal.
 */
import { type Logger as PinoLogger, pino } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

/** What the rest of the code sees of a logger. `event` is a short kebab-case name such as `publish-refused`. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each line. */
  with(fields: LogFields): Logger;
}

/** Opens a logger of `service` that writes to `destination` (default: standard error). */
export function openLogger(options: {
  readonly service: string;
  readonly level: LogLevel;
  readonly pretty?: boolean;
  readonly write?: (line: string) => void;
}): Logger {
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const root = pino(
    {
      level: options.level,
      base: { service: options.service },
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: describeError },
    },
    { write: (line: string) => write(options.pretty ? prettyLine(line) : line) },
  );
  return wrap(root);
}

/** A logger that writes nothing, for tests. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLogger,
};

function wrap(inner: PinoLogger): Logger {
  return {
    debug: (event, fields) => inner.debug(fields ?? {}, event),
    info: (event, fields) => inner.info(fields ?? {}, event),
    warn: (event, fields) => inner.warn(fields ?? {}, event),
    error: (event, fields) => inner.error(fields ?? {}, event),
    with: (fields) => wrap(inner.child(fields)),
  };
}

function describeError(value: unknown): unknown {
  return value instanceof Error
    ? { name: value.name, message: value.message, stack: value.stack, cause: value.cause }
    : value;
}

function prettyLine(line: string): string {
  const { level, time, service, event, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const fields = Object.entries(rest).map(([key, value]) => {
    const shown =
      key === 'error' && value !== null && typeof value === 'object' && 'message' in value ? value.message : value;
    return `${key}=${typeof shown === 'string' ? shown : JSON.stringify(shown)}`;
  });
  return (
    `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${String(service)}: ${String(event)} ${fields.join(' ')}`.trimEnd() +
    '\n'
  );
}
