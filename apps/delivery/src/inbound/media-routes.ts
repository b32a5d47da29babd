/** Init sections, segments and parts: whole or in ranges, from memory or piped from where they are stored. */
import { pipeline } from 'node:stream/promises';
import type { Clock } from '@millrace/clock';
import { problem } from '@millrace/http';
import { cutSlices, readRange } from '../core/byte-range.ts';
import { type MediaFile, mediaFileName } from '../core/playback-path.ts';
import type { MediaBody, PlaybackSource } from '../core/playback-source.ts';
import type { Later } from '../core/waiting-room.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import { type AdmittedExchange, askFor, type Refusals, type Restart } from './exchange.ts';
import { corsHeaders, mediaCaching, mediaType } from './response-headers.ts';
import { SharedResponse } from './shared-response.ts';

export interface MediaRoutesDeps {
  readonly source: Pick<PlaybackSource, 'media'>;
  readonly restart: Restart;
  readonly refusals: Refusals;
  readonly metrics: Pick<DeliveryMetrics, 'responses' | 'bytesOut'>;
  readonly clock: Clock;
  /** Reads from the store at a time. */
  readonly mostStoreReads: number;
}

type InMemory = Extract<MediaBody, { kind: 'memory' }>;
type Stored = Extract<MediaBody, { kind: 'stored' }>;

export class MediaRoutes {
  readonly #deps: MediaRoutesDeps;
  /** Answers from memory by the bytes they send; private and public ones differ in caching. */
  readonly #shared = {
    public: new WeakMap<object, SharedResponse>(),
    private: new WeakMap<object, SharedResponse>(),
  };
  #storeReads = 0;

  constructor(deps: MediaRoutesDeps) {
    this.#deps = deps;
  }

  media(exchange: AdmittedExchange, rendition: string, file: MediaFile): void {
    const { source } = this.#deps;
    askFor<MediaBody>(exchange, this.#deps, {
      ask: (answer) => source.media({ streamId: exchange.streamId, rendition, file }, answer),
      found: (body, later) => {
        if (body.kind === 'memory') this.#send(exchange, file, body, later);
        else this.#sendStored(exchange, file, body);
      },
    });
  }

  /** The answer is made once for each identity, which must be dropped with the bytes: the answer holds on to them. */
  #send(exchange: AdmittedExchange, file: MediaFile, body: InMemory, later: Later): void {
    const { request, response, audience } = exchange;
    const { metrics, clock } = this.#deps;
    if (request.headers.range !== undefined && this.#sendRange(exchange, file, body, request.headers.range)) return;
    const known = this.#shared[audience].get(body.identity);
    const answer = known ?? new SharedResponse(200, mediaHeaders(body, audience), body.slices(), body.storedAtMs);
    if (known === undefined) this.#shared[audience].set(body.identity, answer);
    const sent = answer.send(request, response, clock.nowMs(), later);
    later(() => {
      metrics.bytesOut.inc({ source: 'memory' }, sent);
      metrics.responses.inc({ resource: file.kind, status: '200' });
    });
  }

  /** False: the header asks for nothing but the whole. */
  #sendRange(exchange: AdmittedExchange, file: MediaFile, body: InMemory, header: string): boolean {
    const slices = body.slices();
    const size = slices.reduce((sum, slice) => sum + slice.byteLength, 0);
    const range = readRange(header, size);
    if (range.kind === 'whole') return false;
    if (range.kind === 'unsatisfiable') {
      this.#unsatisfiable(exchange, file, size);
      return true;
    }
    const { start, end } = range;
    const headers = [...mediaHeaders(body, exchange.audience), 'Content-Range', `bytes ${start}-${end}/${size}`];
    const answer = new SharedResponse(206, headers, cutSlices(slices, start, end), body.storedAtMs);
    this.#count(file, 206, 'memory', answer.send(exchange.request, exchange.response, this.#deps.clock.nowMs()));
    return true;
  }

  #sendStored(exchange: AdmittedExchange, file: MediaFile, body: Stored): void {
    const { request, response, audience } = exchange;
    const { refusals, mostStoreReads } = this.#deps;
    const { size } = body;
    const range = readRange(request.headers.range, size);
    if (range.kind === 'unsatisfiable') return this.#unsatisfiable(exchange, file, size);
    const { start, end } = range.kind === 'part' ? range : { start: 0, end: size - 1 };
    const head = [
      ...mediaHeaders(body, audience),
      'Content-Length',
      String(end - start + 1),
      ...(range.kind === 'part' ? ['Content-Range', `bytes ${start}-${end}/${size}`] : []),
    ];
    const status = range.kind === 'part' ? 206 : 200;
    if (request.method === 'HEAD') {
      this.#count(file, status, 'store', 0);
      response.writeHead(status, head).end();
      return;
    }
    if (this.#storeReads >= mostStoreReads) {
      return refusals.unavailable(exchange, 'too-busy', 'too many old segments are being read');
    }
    this.#storeReads++;
    this.#pipeStored(exchange, file, body, { start, end, status, head })
      .catch(() => response.destroy()) // the client went, or the store failed in mid-flight: only a cut says so
      .finally(() => this.#storeReads--);
  }

  async #pipeStored(
    exchange: AdmittedExchange,
    file: MediaFile,
    body: Stored,
    { start, end, status, head }: { start: number; end: number; status: number; head: readonly string[] },
  ): Promise<void> {
    const { response } = exchange;
    const bytes = await body.read(start, end);
    if (bytes === undefined) {
      return this.#deps.refusals.notFound(exchange, `${mediaFileName(file)} does not exist, or no longer`);
    }
    if (response.destroyed) {
      for await (const _ of bytes) break; // closes the source
      return;
    }
    response.writeHead(status, [...head]);
    this.#count(file, status, 'store', end - start + 1);
    await pipeline(bytes, response);
  }

  #unsatisfiable(exchange: AdmittedExchange, file: MediaFile, size: number): void {
    const value = problem(416, 'bad-range', 'Range not satisfiable', { detail: `the file has ${size} bytes` });
    this.#deps.refusals.send(exchange.response, file.kind, value, { headers: { 'content-range': `bytes */${size}` } });
  }

  #count(file: MediaFile, status: number, from: 'memory' | 'store', bytes: number): void {
    this.#deps.metrics.responses.inc({ resource: file.kind, status: String(status) });
    this.#deps.metrics.bytesOut.inc({ source: from }, bytes);
  }
}

function mediaHeaders({ mediaKind }: MediaBody, audience: AdmittedExchange['audience']): readonly string[] {
  const type = mediaType(mediaKind);
  return ['Content-Type', type, 'Cache-Control', mediaCaching(audience), 'Accept-Ranges', 'bytes', ...corsHeaders];
}
