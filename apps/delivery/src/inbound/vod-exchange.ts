/** One request below `/vod`, and the ways in which it is refused. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { problem, writeProblem } from '@millrace/http';
import type { VodPath, VodTarget } from '../core/vod-path.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import { corsFields } from './response-headers.ts';
import type { PlayableVideo } from './video-directory.ts';

export interface VodExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: VodPath;
  /** The query, without `?`. */
  readonly search: string;
}

/** An exchange of somebody who may play the video. */
export interface AdmittedVod extends VodExchange {
  readonly video: PlayableVideo;
}

/** What a metric calls what was asked for. */
export type VodResource =
  | Exclude<VodTarget['kind'], 'asset-file' | 'storyboard' | 'poster'>
  | 'playlist'
  | 'media'
  | 'captions'
  | 'picture'
  | 'unknown'
  | 'preflight';

/** The resource that a path names. */
export function vodResourceOf(path: VodPath | undefined): VodResource {
  if (path === undefined) return 'unknown';
  const { target } = path;
  if (target.kind === 'asset-file') return target.file;
  if (target.kind === 'poster') return 'picture';
  return target.kind === 'storyboard' ? 'captions' : target.kind;
}

/** Why somebody gets nothing: a label of a metric, and what he is told. */
const refusals = {
  method: [405, 'method-not-allowed', 'Method not allowed'],
  'bad-path': [404, 'not-found', 'Not found'],
  'unknown-video': [404, 'not-found', 'Not found'],
  /** The video is known, but no run has published anything yet. */
  'nothing-yet': [404, 'not-processed', 'The video cannot be played yet'],
  'unknown-asset': [404, 'not-found', 'Not found'],
  'unknown-file': [404, 'not-found', 'Not found'],
  token: [403, 'playback-refused', 'Playback refused'],
  'bad-range': [416, 'bad-range', 'Range not satisfiable'],
  starting: [503, 'starting', 'The service is starting'],
  'too-busy': [503, 'too-busy', 'Too much is being read'],
  store: [503, 'store-unavailable', 'The media store does not answer'],
} as const satisfies Readonly<Record<string, readonly [number, string, string]>>;
export type VodRefusalReason = keyof typeof refusals;

export class VodRefusals {
  readonly #metrics: Pick<DeliveryMetrics, 'videoResponses' | 'videoRefusals'>;

  constructor(metrics: Pick<DeliveryMetrics, 'videoResponses' | 'videoRefusals'>) {
    this.#metrics = metrics;
  }

  /** Answers with a problem document that other sites' pages may read. */
  send(
    { response, path }: { readonly response: ServerResponse; readonly path: VodPath | undefined },
    reason: VodRefusalReason,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
  ): void {
    if (response.destroyed || response.writableEnded) return;
    const [status, kind, title] = refusals[reason];
    this.#metrics.videoRefusals.inc({ reason });
    this.#metrics.videoResponses.inc({ resource: vodResourceOf(path), status: String(status) });
    const again = status === 503 ? { 'retry-after': '1' } : {};
    writeProblem(response, problem(status, kind, title, { detail }), { ...corsFields, ...again, ...headers });
  }
}
