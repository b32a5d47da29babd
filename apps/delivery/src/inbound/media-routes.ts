/**
 * Init sections, segments and parts: from memory while they are new, else from the media store. What a playlist hints at
 * is held and answered when it is whole; a segment that is still being written is held until it is complete, because
 * players measure their bandwidth by how fast bytes come (rfc8216bis 6.2.6).
 */
import { pipeline } from 'node:stream/promises';
import type { Clock } from '@millrace/clock';
import { problem } from '@millrace/http';
import type { MediaStore } from '@millrace/media-store';
import { assertNever } from '@millrace/result';
import { cutSlices, readRange } from '../core/byte-range.ts';
import type { LiveStreams } from '../core/live-streams.ts';
import type { LiveWindow } from '../core/live-window.ts';
import { type MediaFile, mediaFileName } from '../core/playback-path.ts';
import type { RenditionTrack } from '../core/rendition-track.ts';
import type { TrackSegment } from '../core/track-segment.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import type { AdmittedExchange, Refusals } from './exchange.ts';
import type { HeldRequests } from './held-requests.ts';
import { corsHeaders, mediaCaching, mediaType } from './response-headers.ts';
import { SharedResponse } from './shared-response.ts';

export interface MediaRoutesDeps {
  readonly streams: LiveStreams;
  readonly held: HeldRequests;
  readonly store: MediaStore;
  /** The store's key of an archived segment. */
  readonly keyOf: (window: LiveWindow, track: RenditionTrack, segment: number) => string;
  readonly refusals: Refusals;
  readonly metrics: DeliveryMetrics;
  readonly clock: Clock;
  /** Reads from the store at a time. */
  readonly mostStoreReads: number;
}

interface Source {
  readonly window: LiveWindow;
  readonly track: RenditionTrack;
  readonly file: MediaFile;
}

export class MediaRoutes {
  readonly #deps: MediaRoutesDeps;
  /** Answers from memory by the slices they send; private and public ones differ in caching. */
  readonly #shared = {
    public: new WeakMap<object, SharedResponse>(),
    private: new WeakMap<object, SharedResponse>(),
  };
  #storeReads = 0;

  constructor(deps: MediaRoutesDeps) {
    this.#deps = deps;
  }

  media(exchange: AdmittedExchange, rendition: string, file: MediaFile): void {
    const { streams, held, refusals } = this.#deps;
    const window = streams.windowById(exchange.streamId, file.windowId);
    const track = window?.track(rendition);
    if (window === undefined || track === undefined) return this.#gone(exchange, file);
    const source = { window, track, file };
    if (file.kind === 'init') {
      const init = track.init(file.init);
      return init === undefined ? this.#gone(exchange, file) : this.#sendSlices(exchange, source, init, [init]);
    }
    const isReady = () => isWhole(track, file);
    const answer = () => this.#answer(exchange, source);
    if (isReady()) return answer();
    if (!isToCome(track, file)) return refusals.notFound(exchange, `${mediaFileName(file)} does not exist yet`);
    held.hold(exchange, { window, track, kind: 'media', isReady: () => isReady() || !isToCome(track, file), answer });
  }

  #answer(exchange: AdmittedExchange, source: Source): void {
    const { window, track, file } = source;
    if (file.kind === 'init') throw new Error('init sections are never held');
    const segment = track.segment(file.segment);
    if (segment === undefined || segment.gap) return this.#gone(exchange, file);
    switch (file.kind) {
      case 'segment': {
        if (!segment.complete) return this.#gone(exchange, file);
        const { media } = segment;
        if (media !== undefined) return this.#sendSlices(exchange, source, media, media.flat());
        return this.#sendStored(exchange, source, this.#deps.keyOf(window, track, segment.number), 0, segment.size);
      }
      case 'part': {
        const part = segment.parts[file.part];
        if (part === undefined) return this.#gone(exchange, file);
        const slices = segment.media?.[file.part];
        if (slices !== undefined) return this.#sendSlices(exchange, source, slices, slices);
        const key = this.#deps.keyOf(window, track, segment.number);
        return this.#sendStored(exchange, source, key, part.offset, part.size);
      }
      default:
        return assertNever(file);
    }
  }

  /** The answer is made once for each `identity`, which must be dropped with the bytes: the answer holds on to them. */
  #sendSlices(exchange: AdmittedExchange, source: Source, identity: object, slices: readonly Uint8Array[]): void {
    const { request, response, audience } = exchange;
    const { metrics, clock } = this.#deps;
    const headers = mediaHeaders(source, audience);
    if (request.headers.range !== undefined) {
      const size = slices.reduce((sum, slice) => sum + slice.byteLength, 0);
      const range = readRange(request.headers.range, size);
      if (range.kind === 'unsatisfiable') return this.#unsatisfiable(exchange, size);
      if (range.kind === 'part') {
        const { start, end } = range;
        const answer = new SharedResponse(
          206,
          [...headers, 'Content-Range', `bytes ${start}-${end}/${size}`],
          cutSlices(slices, start, end),
        );
        this.#count(source, 206, 'memory', answer.send(request, response, clock.nowMs()));
        return;
      }
    }
    const known = this.#shared[audience].get(identity);
    const answer = known ?? new SharedResponse(200, headers, slices);
    if (known === undefined) this.#shared[audience].set(identity, answer);
    metrics.bytesOut.inc({ source: 'memory' }, answer.send(request, response, clock.nowMs()));
    metrics.responses.inc({ resource: source.file.kind, status: '200' });
  }

  #sendStored(exchange: AdmittedExchange, source: Source, key: string, offset: number, size: number): void {
    const { request, response, audience } = exchange;
    const { refusals, mostStoreReads } = this.#deps;
    const range = readRange(request.headers.range, size);
    if (range.kind === 'unsatisfiable') return this.#unsatisfiable(exchange, size);
    const { start, end } = range.kind === 'part' ? range : { start: 0, end: size - 1 };
    const head = [
      ...mediaHeaders(source, audience),
      'Content-Length',
      String(end - start + 1),
      ...(range.kind === 'part' ? ['Content-Range', `bytes ${start}-${end}/${size}`] : []),
    ];
    const status = range.kind === 'part' ? 206 : 200;
    if (request.method === 'HEAD') {
      this.#count(source, status, 'store', 0);
      response.writeHead(status, head).end();
      return;
    }
    if (this.#storeReads >= mostStoreReads) {
      return refusals.unavailable(exchange, 'too-busy', 'too many old segments are being read');
    }
    this.#storeReads++;
    this.#pipeStored(exchange, source, { key, start: offset + start, end: offset + end, status, head })
      .catch(() => response.destroy()) // the client went, or the store failed in mid-flight: only a cut says so
      .finally(() => this.#storeReads--);
  }

  async #pipeStored(
    exchange: AdmittedExchange,
    source: Source,
    read: { readonly key: string; start: number; end: number; status: number; head: readonly string[] },
  ): Promise<void> {
    const { store } = this.#deps;
    const { key, start, end } = read;
    const object = await store.get(key, { start, end });
    if (!object.ok) return this.#gone(exchange, source.file);
    if (exchange.response.destroyed) {
      for await (const _ of object.value.bytes) break; // closes the source
      return;
    }
    exchange.response.writeHead(read.status, [...read.head]);
    this.#count(source, read.status, 'store', end - start + 1);
    await pipeline(object.value.bytes, exchange.response);
  }

  #gone(exchange: AdmittedExchange, file: MediaFile): void {
    this.#deps.refusals.notFound(exchange, `${mediaFileName(file)} does not exist, or no longer`);
  }

  #unsatisfiable(exchange: AdmittedExchange, size: number): void {
    const value = problem(416, 'bad-range', 'Range not satisfiable', { detail: `the file has ${size} bytes` });
    const headers = { 'content-range': `bytes */${size}` };
    const { file } = exchange.path.target.kind === 'media' ? exchange.path.target : { file: undefined };
    this.#deps.refusals.send(exchange.response, file?.kind ?? 'unknown', value, { headers });
  }

  #count(source: Source, status: number, from: 'memory' | 'store', bytes: number): void {
    this.#deps.metrics.responses.inc({ resource: source.file.kind, status: String(status) });
    this.#deps.metrics.bytesOut.inc({ source: from }, bytes);
  }
}

function mediaHeaders(source: Source, audience: AdmittedExchange['audience']): readonly string[] {
  const type = mediaType(source.track.spec.kind);
  return ['Content-Type', type, 'Cache-Control', mediaCaching(audience), 'Accept-Ranges', 'bytes', ...corsHeaders];
}

type Fragment = Exclude<MediaFile, { kind: 'init' }>;

/** All bytes of the file are there. */
function isWhole(track: RenditionTrack, file: Fragment): boolean {
  const segment: TrackSegment | undefined = track.segment(file.segment);
  return segment !== undefined && (segment.complete || (file.kind === 'part' && file.part < segment.parts.length));
}

/** The next part, which playlists hint at, or the segment that is being written. */
function isToCome(track: RenditionTrack, file: Fragment): boolean {
  const { segment, part } = track.next;
  if (track.ended || file.segment !== segment) return false;
  return file.kind === 'part' ? file.part === part : part > 0;
}
