/** The body of a request: decompressed, bounded, in memory; or in a file when it is larger and may be. */
import { createWriteStream, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { pipeline as pipelined } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { QueryRefusal } from './query-text.ts';

export interface BodyLimits {
  readonly memoryBytes: number;
  readonly fileBytes: number;
  /** Where a body larger than `memoryBytes` goes; undefined: refused. */
  readonly file: string | undefined;
}

export type RequestBody =
  | { readonly kind: 'memory'; readonly bytes: Buffer }
  | { readonly kind: 'file'; readonly path: string };

/** The body cannot be taken. */
export class BodyRefusedError extends Error {
  readonly refusal: QueryRefusal;

  constructor(refusal: QueryRefusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** Reads the body; rejects with BodyRefusedError when it is too large, or its compression is unknown or damaged. */
export async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<RequestBody> {
  const source = decompressed(request);
  const kept: Buffer[] = [];
  let size = 0;
  const iterator = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const next = await iterator.next();
      if (next.done === true)
        return { kind: 'memory', bytes: kept.length === 1 && kept[0] ? kept[0] : Buffer.concat(kept) };
      size += next.value.length;
      kept.push(next.value);
      if (size > limits.memoryBytes) break;
    }
    if (limits.file === undefined) throw tooLarge(limits.memoryBytes);
    await spool(kept, iterator, limits.file, limits.fileBytes);
    return { kind: 'file', path: limits.file };
  } catch (error) {
    if (error instanceof BodyRefusedError || request.destroyed) throw error;
    const message = `cannot decompress the request body: ${error instanceof Error ? error.message : String(error)}`;
    throw new BodyRefusedError({ code: 354, type: 'ZLIB_INFLATE_FAILED', message });
  }
}

function tooLarge(limit: number): BodyRefusedError {
  return new BodyRefusedError({
    code: 307,
    type: 'TOO_MANY_BYTES',
    message: `the request body is larger than ${limit} bytes`,
  });
}

async function spool(kept: Buffer[], rest: AsyncIterator<Buffer>, path: string, limit: number): Promise<void> {
  let size = 0;
  async function* all() {
    for (const chunk of [...kept.splice(0)]) {
      size += chunk.length;
      yield chunk;
    }
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      size += next.value.length;
      if (size > limit) throw tooLarge(limit);
      yield next.value;
    }
  }
  try {
    await pipelined(all, createWriteStream(path, { mode: 0o600 }));
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

function decompressed(request: IncomingMessage): Readable {
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
  const through = (decoder: ReturnType<typeof createGunzip | typeof createBrotliDecompress>) =>
    pipeline(request, decoder, () => {}); // its reader sees the error
  switch (encoding) {
    case 'identity':
      return request;
    case 'gzip':
    case 'x-gzip':
      return through(createGunzip());
    case 'deflate':
      return through(createInflate());
    case 'br':
      return through(createBrotliDecompress());
    default:
      throw new BodyRefusedError({
        code: 89,
        type: 'UNKNOWN_COMPRESSION_METHOD',
        message: `Content-Encoding ${encoding}: the embedded engine takes gzip, deflate and br`,
      });
  }
}
