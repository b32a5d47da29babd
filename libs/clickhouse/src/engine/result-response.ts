/** Sends a result as the engine makes it: compressed on demand, held back by a slow reader, its error at the end if it has one. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Transform, Writable } from 'node:stream';
import { createBrotliCompress, createDeflate, createGzip, constants as zlib } from 'node:zlib';
import { type EngineException, exceptionTail } from './exception.ts';
import type { RunRows, RunSummary } from './query-runner.ts';

const contentTypes: readonly (readonly [format: RegExp, type: string])[] = [
  [
    /^(JSONEachRow|JSONLines|NDJSON|JSONCompactEachRow|JSONStringsEachRow|JSONEachRowWithProgress)/i,
    'application/x-ndjson; charset=UTF-8',
  ],
  [/^JSON/i, 'application/json; charset=UTF-8'],
  [/^(TabSeparated|TSV)/i, 'text/tab-separated-values; charset=UTF-8'],
  [/^(CSV|CustomSeparated)/i, 'text/csv; charset=UTF-8; header=present'],
  [/^XML$/i, 'application/xml; charset=UTF-8'],
  [/^(Pretty|Vertical|Values|Markdown|SQLInsert|LineAsString|Template)/i, 'text/plain; charset=UTF-8'],
  [/^Null$/i, 'text/plain; charset=UTF-8'],
];

export interface ResultHead {
  readonly queryId: string;
  readonly format: string;
  readonly acceptEncoding: string | undefined;
  readonly compress: boolean;
}

/** `X-ClickHouse-Summary`: numbers as texts, as the server writes them. */
export function summaryHeader(summary: Partial<RunSummary>): string {
  return JSON.stringify({
    read_rows: String(summary.rowsRead ?? 0),
    read_bytes: String(summary.bytesRead ?? 0),
    written_rows: String(summary.rowsWritten ?? 0),
    written_bytes: String(summary.bytesWritten ?? 0),
    total_rows_to_read: '0',
    result_rows: String(summary.rowsWritten ?? 0),
    result_bytes: String(summary.bytesWritten ?? 0),
    elapsed_ns: String(Math.round((summary.elapsedS ?? 0) * 1e9)),
  });
}

/** Headers of every answer to a query. */
export function commonHeaders(queryId: string, format: string, timeZone: string): Record<string, string> {
  return {
    'X-ClickHouse-Query-Id': queryId,
    'X-ClickHouse-Server-Display-Name': 'millrace',
    'X-ClickHouse-Timezone': timeZone,
    'X-ClickHouse-Format': format,
    'Content-Type': contentTypes.find(([pattern]) => pattern.test(format))?.[1] ?? 'application/octet-stream',
  };
}

/**
 * Sends `rows`. Rejects with the engine's error while nothing has been sent, so that it can get a status; later errors go into
 * the body. Resolves when all is sent or the client is gone.
 */
export async function sendRows(
  response: ServerResponse,
  rows: RunRows,
  head: ResultHead,
  describe: (error: unknown) => EngineException,
): Promise<void> {
  const { stream } = rows;
  stream.on('error', () => {}); // seen through `done`, or the client is gone
  response.once('close', () => stream.resume()); // the engine may be waiting for the pipe: let it see its cancellation
  const first =
    stream.readableLength > 0 ? Promise.resolve() : Promise.race([once(stream, 'readable'), once(stream, 'close')]);
  let summary: RunSummary | undefined;
  const done = rows.done.then((value) => {
    summary = value;
  });
  done.catch(() => {}); // awaited below, maybe after the rows
  try {
    await Promise.race([done, first.catch(() => {})]);
    // A short result is whole by now, and then its figures are known as well.
    if (stream.readableLength < 60_000) await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 2))]);
  } catch (error) {
    stream.destroy();
    throw error;
  }
  const tag = randomBytes(8).toString('hex');
  const encoding = head.compress ? chooseEncoding(head.acceptEncoding) : undefined;
  response.writeHead(200, {
    ...commonHeaders(head.queryId, head.format, 'UTC'),
    'X-ClickHouse-Summary': summaryHeader(summary ?? {}),
    'X-ClickHouse-Exception-Tag': tag,
    ...(encoding === undefined ? {} : { 'Content-Encoding': encoding }),
  });
  const encoder = encoding === undefined ? undefined : encoderOf(encoding);
  encoder?.pipe(response, { end: false });
  const ended = encoder === undefined ? undefined : once(encoder, 'end').catch(() => {});
  const sink: Writable = encoder ?? response;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (response.destroyed) continue; // read on, so that the engine gets to its end
    if (!sink.write(chunk)) await Promise.race([once(sink, 'drain'), once(response, 'close')]);
  }
  const failed = await done.then(
    () => undefined,
    (error: unknown) => describe(error),
  );
  if (response.destroyed) {
    encoder?.destroy();
    return;
  }
  if (failed !== undefined) sink.write(exceptionTail(failed, tag));
  if (encoder !== undefined) {
    encoder.end();
    await Promise.race([ended, once(response, 'close')]);
  }
  // Without the body's last piece nobody takes the result for whole.
  if (failed === undefined) response.end();
  else response.socket?.end();
}

function chooseEncoding(accepted: string | undefined): 'gzip' | 'deflate' | 'br' | undefined {
  const names = (accepted ?? '')
    .toLowerCase()
    .split(',')
    .map((part) => part.split(';')[0]?.trim());
  return (['gzip', 'deflate', 'br'] as const).find((name) => names.includes(name));
}

function encoderOf(encoding: 'gzip' | 'deflate' | 'br'): Transform {
  if (encoding === 'gzip') return createGzip({ level: 1 });
  if (encoding === 'deflate') return createDeflate({ level: 1 });
  return createBrotliCompress({ params: { [zlib.BROTLI_PARAM_QUALITY]: 3 } });
}
