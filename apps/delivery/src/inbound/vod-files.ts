/** Segments, pictures and whole files of videos: piped from the media store, whole or in ranges. */
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import type { MediaStore, StoredObject, StoreFailure } from '@millrace/media-store';
import { assertNever, type Result } from '@millrace/result';
import { type RangeRequest, readRange } from '../core/byte-range.ts';
import type { StoreReads } from '../core/store-reads.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import { corsHeaders } from './response-headers.ts';
import { type AdmittedVod, type VodRefusals, vodResourceOf } from './vod-exchange.ts';

export interface VodFilesDeps {
  readonly store: Pick<MediaStore, 'get'>;
  readonly reads: StoreReads;
  readonly refusals: VodRefusals;
  readonly metrics: Pick<DeliveryMetrics, 'videoResponses' | 'videoBytesOut'>;
}

/** An object of the store as it is to be sent. */
export interface VodFile {
  readonly key: string;
  readonly contentType: string;
  readonly caching: string;
  /** Makes the ETag together with key and size, for a key whose object may be replaced. */
  readonly version?: string;
}

/** A client that takes nothing for so long is cut off: it holds a read. */
const stalledMs = 60_000;
const fromTo = /^bytes=(\d{1,15})-(\d{0,15})$/;

export class VodFiles {
  readonly #deps: VodFilesDeps;

  constructor(deps: VodFilesDeps) {
    this.#deps = deps;
  }

  send(exchange: AdmittedVod, file: VodFile): void {
    const { reads, refusals } = this.#deps;
    const { response } = exchange;
    response.setTimeout(stalledMs, () => response.destroy());
    reads
      .run(async () => {
        await this.#send(exchange, file);
        return true;
      })
      .then((done) => {
        if (done === undefined) refusals.send(exchange, 'too-busy', 'too many files of videos are being read');
      })
      .catch(() => response.destroy()); // the client went, or the store failed in mid-flight: only a cut says so
  }

  async #send(exchange: AdmittedVod, file: VodFile): Promise<void> {
    const { request, response } = exchange;
    const opened = await this.#open(exchange, file);
    if (opened === undefined) return;
    const { object, range } = opened;
    const tag = tagOf(file, object.size);
    const head = headOf(file, tag);
    if (request.headers['if-none-match'] !== undefined && matches(request.headers['if-none-match'], tag)) {
      await closeUnread(object);
      return this.#end(exchange, 304, head);
    }
    const isPart = range.kind === 'part';
    const length = object.end - object.start + 1;
    const span = `bytes ${object.start}-${object.end}/${object.size}`;
    const full = [...head, 'Content-Length', String(length), ...(isPart ? ['Content-Range', span] : [])];
    if (request.method === 'HEAD' || response.destroyed) {
      await closeUnread(object);
      return this.#end(exchange, isPart ? 206 : 200, full);
    }
    this.#count(exchange, isPart ? 206 : 200);
    response.writeHead(isPart ? 206 : 200, full);
    this.#deps.metrics.videoBytesOut.inc({ resource: vodResourceOf(exchange.path) }, length);
    await pipeline(object.bytes, response);
  }

  /** Opens what the request asks for; undefined: it was refused. */
  async #open(
    exchange: AdmittedVod,
    file: VodFile,
  ): Promise<{ readonly object: StoredObject; readonly range: RangeRequest } | undefined> {
    const { store } = this.#deps;
    const { range: asked, 'if-range': ifRange } = exchange.request.headers;
    const [, first, last] = fromTo.exec(asked ?? '') ?? [];
    const plain = first !== undefined && ifRange === undefined && (last === '' || Number(last) >= Number(first));
    if (plain) {
      // The usual range of players: one look at the store.
      const end = last === '' ? {} : { end: Number(last) };
      const object = this.#orRefuse(exchange, file, await store.get(file.key, { start: Number(first), ...end }));
      return object === undefined
        ? undefined
        : { object, range: { kind: 'part', start: object.start, end: object.end } };
    }
    const whole = this.#orRefuse(exchange, file, await store.get(file.key));
    if (whole === undefined || asked === undefined) return whole && { object: whole, range: { kind: 'whole' } };
    // What was kept is of another version: all of it again (RFC 9110 13.1.5).
    const isStale = ifRange !== undefined && ifRange !== tagOf(file, whole.size);
    const range = isStale ? ({ kind: 'whole' } as const) : readRange(asked, whole.size);
    if (range.kind === 'whole') return { object: whole, range };
    await closeUnread(whole);
    if (range.kind === 'unsatisfiable') {
      this.#badRange(exchange, whole.size);
      return undefined;
    }
    const object = this.#orRefuse(exchange, file, await store.get(file.key, range));
    return object === undefined ? undefined : { object, range };
  }

  #orRefuse(
    exchange: AdmittedVod,
    { key }: VodFile,
    got: Result<StoredObject, StoreFailure>,
  ): StoredObject | undefined {
    if (got.ok) return got.value;
    const { refusals } = this.#deps;
    switch (got.error.kind) {
      case 'not-found':
      case 'bad-key':
        refusals.send(exchange, 'unknown-file', `the video has no ${key.slice(key.lastIndexOf('/') + 1)}`);
        return undefined;
      case 'bad-range':
        this.#badRange(exchange, got.error.size);
        return undefined;
      case 'full':
      case 'unavailable':
        refusals.send(exchange, 'store', 'the media store did not answer: try again in a moment');
        return undefined;
      default:
        return assertNever(got.error);
    }
  }

  #badRange(exchange: AdmittedVod, size: number): void {
    this.#deps.refusals.send(exchange, 'bad-range', `the file has ${size} bytes`, {
      'content-range': `bytes */${size}`,
    });
  }

  #end(exchange: AdmittedVod, status: number, head: readonly string[]): void {
    if (exchange.response.destroyed) return;
    this.#count(exchange, status);
    exchange.response.writeHead(status, [...head]).end();
  }

  #count(exchange: AdmittedVod, status: number): void {
    this.#deps.metrics.videoResponses.inc({ resource: vodResourceOf(exchange.path), status: String(status) });
  }
}

/** Whether an If-None-Match names the tag (RFC 9110 13.1.2: compared weakly). */
export function matches(header: string, tag: string): boolean {
  return header.split(',').some((each) => ['*', tag, `W/${tag}`].includes(each.trim()));
}

function tagOf({ key, version = '' }: VodFile, size: number): string {
  return `"${createHash('sha256').update(`${key} ${version} ${size}`).digest('base64url').slice(0, 22)}"`;
}

function headOf({ contentType, caching }: VodFile, tag: string): readonly string[] {
  const type = ['Content-Type', contentType, 'X-Content-Type-Options', 'nosniff'];
  return [...type, 'Cache-Control', caching, 'ETag', tag, 'Accept-Ranges', 'bytes', ...corsHeaders];
}

async function closeUnread(object: StoredObject): Promise<void> {
  for await (const _ of object.bytes) break;
}
