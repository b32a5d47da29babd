/**
 * Everything under `/vod`: processed videos out of the media store. Who may play what is decided here; only what a video has
 * published is reachable, whatever else lies in the store.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TokenRefusal, TokenVerifier } from '@millrace/auth';
import { type HttpMount, markRoute } from '@millrace/http';
import type { Logger } from '@millrace/log';
import { assertNever } from '@millrace/result';
import { parseVodPath, type VodTarget } from '../core/vod-path.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import type { BeaconRoutes } from './beacon-routes.ts';
import type { WatchExchange } from './exchange.ts';
import { admitByToken } from './playback-admission.ts';
import { mediaCaching, mediaType, preflightHeaders } from './response-headers.ts';
import type { VideoDirectory } from './video-directory.ts';
import type { VideoViewers } from './video-viewers.ts';
import { type AdmittedVod, type VodExchange, type VodRefusals, vodResourceOf } from './vod-exchange.ts';
import type { VodFiles } from './vod-files.ts';
import type { VodTextRoutes } from './vod-texts.ts';

export interface VodRoutesDeps {
  readonly directory: VideoDirectory;
  readonly tokens: Pick<TokenVerifier, 'verifyPlaybackToken'>;
  readonly texts: VodTextRoutes;
  readonly files: VodFiles;
  readonly viewers: VideoViewers;
  readonly events: Pick<BeaconRoutes, 'post'>;
  readonly refusals: VodRefusals;
  readonly metrics: Pick<DeliveryMetrics, 'videoResponses'>;
  readonly log: Logger;
}

type AssetFile = Extract<VodTarget, { kind: 'asset-file' }>;

export class VodRoutes implements HttpMount {
  readonly prefix = '/vod';
  /** A file may take as long as its reader does. */
  readonly holdsAnswers = true;
  readonly #deps: VodRoutesDeps;

  constructor(deps: VodRoutesDeps) {
    this.#deps = deps;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { refusals, metrics } = this.#deps;
    const url = request.url ?? '';
    const queryAt = url.indexOf('?');
    const path = parseVodPath(queryAt < 0 ? url : url.slice(0, queryAt));
    markRoute(response, `/vod/{playback_id}/{${vodResourceOf(path)}}`);
    const methods = path?.target.kind === 'beacons' ? ['POST'] : ['GET', 'HEAD'];
    const allow = [...methods, 'OPTIONS'].join(', ');
    if (request.method === 'OPTIONS') {
      metrics.videoResponses.inc({ resource: 'preflight', status: '204' });
      response.writeHead(204, [...preflightHeaders(allow)]).end();
      return;
    }
    if (!methods.includes(request.method ?? '')) {
      const detail = `expected ${allow}, got ${request.method}`;
      return refusals.send({ response, path }, 'method', detail, { allow });
    }
    if (path === undefined) {
      const detail =
        'expected a playlist, presentation, segment, picture, captions or video.mp4 below /vod/{playback_id}';
      return refusals.send({ response, path }, 'bad-path', detail);
    }
    this.#admit({ request, response, path, search: queryAt < 0 ? '' : url.slice(queryAt + 1) });
  }

  /** Checks that the video exists and may be played with what the path carries, then answers. */
  #admit(exchange: VodExchange): void {
    const { directory, tokens, refusals, log } = this.#deps;
    const { playbackId, token } = exchange.path;
    const video = directory.find(playbackId);
    if (video === undefined) {
      if (directory.isReady)
        return refusals.send(exchange, 'unknown-video', `no video has the playback id ${playbackId}`);
      return refusals.send(exchange, 'starting', 'the videos are still being read');
    }
    const admitted: AdmittedVod = { ...exchange, video };
    if (video.visibility === 'public') return this.#answer(admitted);
    admitByToken(
      tokens,
      { playbackId, token, what: 'video' },
      {
        admitted: () => this.#answer(admitted),
        refused: (error) => this.#forbid(exchange, error),
        crashed: (error) => {
          log.error('video-request-crashed', { error });
          exchange.response.destroy();
        },
      },
    );
  }

  #answer(exchange: AdmittedVod): void {
    const { events, refusals, viewers, texts, files } = this.#deps;
    const { video, path } = exchange;
    const { target } = path;
    if (target.kind === 'about') return texts.about(exchange);
    const watch = watchOf(exchange);
    if (target.kind === 'beacons') return events.post({ ...watch, response: exchange.response });
    viewers.heard(watch);
    if (target.kind === 'asset-file') return this.#assetFile(exchange, target);
    if (target.kind === 'file' && video.file !== undefined) {
      const caching = `${video.visibility}, max-age=60`;
      const version = video.asset ?? '';
      return files.send(exchange, { key: video.file, contentType: 'video/mp4', caching, version });
    }
    const folder = video.asset;
    if (folder === undefined)
      return refusals.send(exchange, 'nothing-yet', `video ${video.videoId} was not processed yet`);
    switch (target.kind) {
      case 'multivariant':
        return texts.multivariant(exchange, folder, viewers.mint(watch));
      case 'presentation':
        viewers.mint(watch);
        return texts.presentation(exchange, folder);
      case 'storyboard':
        return texts.storyboard(exchange, folder);
      case 'poster': {
        const caching = `${video.visibility}, max-age=60`;
        return files.send(exchange, { key: `${folder}/poster.jpg`, contentType: 'image/jpeg', caching });
      }
      case 'file':
        return refusals.send(exchange, 'unknown-file', `video ${video.videoId} has no file to download`);
      default:
        return assertNever(target);
    }
  }

  #assetFile(exchange: AdmittedVod, target: AssetFile): void {
    const { directory, refusals, texts, files } = this.#deps;
    const { video } = exchange;
    const found = directory.folderOf(video, target.asset);
    if (found === undefined) {
      return refusals.send(exchange, 'unknown-asset', `video ${video.videoId} has no ${target.asset}, or no longer`);
    }
    const { file } = target;
    if (file === 'playlist' || file === 'captions') return texts.assetFile(exchange, found, { ...target, file });
    const contentType =
      file === 'picture' ? 'image/jpeg' : mediaType(target.path.startsWith('audio') ? 'audio' : 'video');
    files.send(exchange, {
      key: `${found.folder}/${target.path}`,
      contentType,
      // a run of some steps draws the pictures of an asset anew
      caching: file === 'picture' ? `${video.visibility}, max-age=60` : mediaCaching(video.visibility),
    });
  }

  #forbid(exchange: VodExchange, error: TokenRefusal): void {
    const reason = error.kind === 'not-ready' ? 'starting' : 'token';
    this.#deps.refusals.send(exchange, reason, error.message);
  }
}

/** The request as those see it who count viewers. */
function watchOf({ request, search, video, path }: AdmittedVod): WatchExchange {
  const { target } = path;
  const seen = { request, search, streamId: video.videoId, ownerId: video.ownerId };
  const as = (watched: WatchExchange['path']['target']) => ({
    ...seen,
    path: { playbackId: path.playbackId, target: watched },
  });
  if (target.kind === 'beacons') return as({ kind: 'beacons', session: undefined });
  if (target.kind !== 'asset-file') return as({ kind: 'multivariant' });
  return as(target.session === undefined ? { kind: 'media' } : { kind: 'media-playlist', session: target.session });
}
