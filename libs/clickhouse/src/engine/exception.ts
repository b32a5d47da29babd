/** Exceptions on the wire as ClickHouse's HTTP interface writes them. */
import type { QueryRefusal } from './query-text.ts';

export interface EngineException {
  readonly code: number;
  readonly status: number;
  /** `Code: 47. DB::Exception: ... (UNKNOWN_IDENTIFIER) (version 26.7.2.1)` */
  readonly text: string;
}

/** HTTP statuses of the server's `exceptionCodeToHTTPStatus`; what is not here is 500. */
const statusByCode: Readonly<Record<number, number>> = {
  ...{ 6: 400, 26: 400, 27: 400, 28: 400, 38: 400, 41: 400, 53: 400, 62: 400, 69: 400, 70: 400, 72: 400, 36: 400 },
  ...{ 33: 400, 43: 400, 44: 400, 46: 404, 47: 404, 50: 404, 60: 404, 81: 404, 73: 404, 115: 404, 456: 400, 457: 400 },
  ...{
    48: 501,
    159: 408,
    164: 403,
    202: 503,
    209: 503,
    411: 411,
    497: 403,
    516: 403,
    194: 401,
    192: 403,
    193: 403,
    307: 413,
  },
  ...{ 117: 400, 130: 400, 131: 400, 632: 400, 636: 400, 158: 400, 396: 413, 62_001: 413, 63: 404, 236: 503 },
};

/** Of an error's text from the engine. */
export function exceptionOf(error: unknown, version: string): EngineException {
  const text = error instanceof Error ? error.message : String(error);
  const code = Number(/Code: (\d+)/.exec(text)?.[1] ?? 1001);
  const full = text.startsWith('Code:') ? text.trimEnd() : `Code: 1001. DB::Exception: ${text} (STD_EXCEPTION)`;
  const versioned = full.includes('(version ') ? full : `${full} (version ${version})`;
  return { code, status: statusByCode[code] ?? 500, text: versioned };
}

/** Of a refusal by the front itself. */
export function refusalException(refusal: QueryRefusal, version: string): EngineException {
  const text = `Code: ${refusal.code}. DB::Exception: ${refusal.message}. (${refusal.type})`;
  return exceptionOf(new Error(text), version);
}

/**
 * What the server appends to a result that it cannot finish: readers that know `X-ClickHouse-Exception-Tag` find the error at
 * the end, and the response is then cut so that others notice as well.
 */
export function exceptionTail(exception: EngineException, tag: string): Buffer {
  const message = `${exception.text}\n`;
  return Buffer.from(
    `\r\n__exception__\r\n${tag}\r\n${message}${Buffer.byteLength(message)} ${tag}\r\n__exception__\r\n`,
  );
}
