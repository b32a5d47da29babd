/** Playlists, presentations and captions of videos. Caching: docs/decisions/0123. */
import { acceptsGzip } from '@millrace/http';
import { assertNever } from '@millrace/result';
import type { TextAsk, TextReader, VideoText } from '../core/video-text.ts';
import { fileUriBase, sessionUri } from '../core/vod-path.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import { corsHeaders, playlistType } from './response-headers.ts';
import { type AdmittedVod, type VodRefusals, vodResourceOf } from './vod-exchange.ts';
import { matches } from './vod-files.ts';

export interface VodTextRoutesDeps {
  readonly texts: TextReader;
  readonly refusals: VodRefusals;
  readonly metrics: Pick<DeliveryMetrics, 'videoResponses' | 'videoBytesOut' | 'sessions'>;
}

/** A text to send: where it is, and how it is named and kept. */
interface TextRoute {
  readonly key: string;
  readonly contentType: string;
  readonly complete: boolean;
  readonly edit?: NonNullable<TextAsk['edit']>;
}

/** While a video is being processed its playlists are replaced, at last by their final form. */
const keptS = { complete: 60, growing: 1 } as const;
/** How old this process's own copy may be, ms. */
const freshMs = { complete: 10_000, growing: 500 } as const;

export class VodTextRoutes {
  readonly #deps: VodTextRoutesDeps;

  constructor(deps: VodTextRoutesDeps) {
    this.#deps = deps;
  }

  /** Lists the media playlists under a session of the viewer's own; never cached, so that each viewer gets his own. */
  multivariant(exchange: AdmittedVod, folder: string, session: string): void {
    const { complete } = exchange.video;
    const ask = { key: `${folder}.m3u8`, freshMs: freshness(complete, freshMs) };
    this.#read(exchange, ask, (text) => {
      this.#deps.metrics.sessions.inc();
      const listed = prefixUris(Buffer.from(text.plain).toString('utf8'), (uri) => sessionUri(session, uri));
      const headers = ['Content-Type', playlistType, 'Cache-Control', 'no-store', ...corsHeaders];
      this.#end(exchange, 200, headers, Buffer.from(listed));
    });
  }

  presentation(exchange: AdmittedVod, folder: string): void {
    const { complete } = exchange.video;
    this.#text(exchange, { key: `${folder}.mpd`, contentType: 'application/dash+xml', complete });
  }

  /** What a page shows beside the player; also of a video that cannot be played yet. */
  about(exchange: AdmittedVod): void {
    const { title, durationMs, visibility, asset } = exchange.video;
    const about = { title, duration_ms: durationMs ?? null, playable: asset !== undefined };
    const caching = `${visibility}, max-age=${keptS.complete}`;
    const type = ['Content-Type', 'application/json', 'X-Content-Type-Options', 'nosniff', 'Cache-Control', caching];
    this.#end(exchange, 200, [...type, ...corsHeaders], Buffer.from(JSON.stringify(about)));
  }

  /** The storyboard under the video's own name, whose pictures are in the asset's folder. */
  storyboard(exchange: AdmittedVod, folder: string): void {
    const asset = folder.slice(folder.lastIndexOf('/') + 1);
    const apply = (text: string) => text.replace(/^(?=[A-Za-z0-9_-]+\.jpg)/gm, `${asset}/`);
    const { complete } = exchange.video;
    const route = { key: `${folder}/storyboard.vtt`, contentType: captionsType, complete };
    this.#text(exchange, { ...route, edit: { name: 'storyboard', apply } });
  }

  /** A media playlist, or captions. Under a session a playlist leads back to the files that all viewers share. */
  assetFile(
    exchange: AdmittedVod,
    { folder, complete }: { readonly folder: string; readonly complete: boolean },
    { asset, path, file, session }: AssetText,
  ): void {
    const contentType = file === 'playlist' ? playlistType : captionsType;
    const apply = (text: string) => prefixUris(text, (uri) => `${fileUriBase(asset, path)}${uri}`);
    const edit = session === undefined ? {} : { edit: { name: 'session', apply } };
    this.#text(exchange, { key: `${folder}/${path}`, contentType, complete, ...edit });
  }

  #text(exchange: AdmittedVod, { key, contentType, complete, edit }: TextRoute): void {
    const ask = { key, freshMs: freshness(complete, freshMs), ...(edit === undefined ? {} : { edit }) };
    this.#read(exchange, ask, (text) => {
      const { request, video } = exchange;
      const zipped = acceptsGzip(request.headers['accept-encoding']) ? text.gzip : undefined;
      const tag = `"${text.tag}${zipped === undefined ? '' : '-gzip'}"`;
      const caching = `${video.visibility}, max-age=${freshness(complete, keptS)}`;
      const headers = [
        ...['Content-Type', contentType, 'X-Content-Type-Options', 'nosniff', 'Cache-Control', caching],
        ...['ETag', tag, 'Vary', 'Accept-Encoding', ...corsHeaders],
        ...(zipped === undefined ? [] : ['Content-Encoding', 'gzip']),
      ];
      const known = request.headers['if-none-match'];
      if (known !== undefined && matches(known, tag)) return this.#end(exchange, 304, headers, undefined);
      this.#end(exchange, 200, headers, zipped ?? text.plain);
    });
  }

  #read(exchange: AdmittedVod, ask: TextAsk, found: (text: VideoText) => void): void {
    const { texts, refusals } = this.#deps;
    const { response } = exchange;
    texts
      .read(ask)
      .then((read) => {
        if (response.destroyed) return;
        if (read.ok) return found(read.value);
        switch (read.error.kind) {
          case 'not-found':
            return refusals.send(exchange, 'unknown-file', `the video has no ${ask.key.split('/').slice(2).join('/')}`);
          case 'too-busy':
            return refusals.send(exchange, 'too-busy', 'too many files of videos are being read');
          case 'unavailable':
            return refusals.send(exchange, 'store', 'the media store did not answer: try again in a moment');
          default:
            return assertNever(read.error);
        }
      })
      .catch(() => response.destroy());
  }

  #end(exchange: AdmittedVod, status: number, headers: readonly string[], body: Uint8Array | undefined): void {
    const { request, response, path } = exchange;
    const resource = vodResourceOf(path);
    const { metrics } = this.#deps;
    metrics.videoResponses.inc({ resource, status: String(status) });
    const length = body === undefined ? [] : ['Content-Length', String(body.byteLength)];
    response.writeHead(status, [...headers, ...length]);
    if (request.method === 'HEAD' || body === undefined) return void response.end();
    metrics.videoBytesOut.inc({ resource }, body.byteLength);
    response.end(body);
  }
}

interface AssetText {
  readonly asset: string;
  readonly path: string;
  readonly file: 'playlist' | 'captions';
  readonly session: string | undefined;
}

const captionsType = 'text/vtt; charset=utf-8';

function freshness(complete: boolean, of: { readonly complete: number; readonly growing: number }): number {
  return complete ? of.complete : of.growing;
}

/** Changes every relative URI of a playlist (RFC 8216 4.1: lines that are no tags, and URI attributes). */
export function prefixUris(text: string, change: (uri: string) => string): string {
  const isRelative = (uri: string) => !/^([a-z][a-z0-9+.-]*:|\/)/i.test(uri);
  const changed = (uri: string) => (isRelative(uri) ? change(uri) : uri);
  return text
    .split('\n')
    .map((line) => {
      if (line === '' || line === '\r') return line;
      if (!line.startsWith('#')) return changed(line);
      return line.replace(/URI="([^"]+)"/g, (_, uri: string) => `URI="${changed(uri)}"`);
    })
    .join('\n');
}
