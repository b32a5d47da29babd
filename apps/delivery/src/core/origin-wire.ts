/**
 * The wire between an edge and its origins, below `/internal/v1/playback` and behind the service token:
 *
 *     {streamId}                                 what the stream is made of, as JSON
 *     {streamId}/{rendition}/index.m3u8?_HLS_... media playlist, byte for byte, gzipped for those who take it
 *     {streamId}/{rendition}/{file}              init section, segment or part, held until it is whole
 *
 * Absences are the problem documents that players get. Nothing is minted and no viewer is counted here.
 */
import type { ReloadQuery } from '@millrace/hls';
import { type Epoch, parseEpoch, parseId, type StreamId } from '@millrace/ids';
import { z } from 'zod';
import { type MediaFile, mediaFileName, parseMediaFile, renditionPattern } from './playback-path.ts';
import type { Absence, MultivariantFacts } from './playback-source.ts';

export const originPath = '/internal/v1/playback';
/** Of a playlist: its target duration, whole seconds. */
export const targetDurationHeader = 'millrace-target-duration';

export type OriginTarget =
  | { readonly kind: 'facts'; readonly streamId: StreamId }
  | { readonly kind: 'playlist'; readonly streamId: StreamId; readonly rendition: string }
  | { readonly kind: 'media'; readonly streamId: StreamId; readonly rendition: string; readonly file: MediaFile };

/** Parses a path, without query; undefined for one that names nothing here. */
export function parseOriginPath(path: string): OriginTarget | undefined {
  const [stream = '', rendition, name, ...more] = path.slice(originPath.length + 1).split('/', 5);
  const streamId = parseId('str', stream);
  if (!streamId.ok || more.length > 0) return undefined;
  if (rendition === undefined) return { kind: 'facts', streamId: streamId.value };
  if (name === undefined || !renditionPattern.test(rendition)) return undefined;
  if (name === 'index.m3u8') return { kind: 'playlist', streamId: streamId.value, rendition };
  const file = parseMediaFile(name);
  return file === undefined ? undefined : { kind: 'media', streamId: streamId.value, rendition, file };
}

/** The path of what an edge asks for. */
export function originPathOf(target: OriginTarget, query?: ReloadQuery): string {
  const stream = `${originPath}/${target.streamId}`;
  if (target.kind === 'facts') return stream;
  if (target.kind === 'media') return `${stream}/${target.rendition}/${mediaFileName(target.file)}`;
  const directives = [
    ...(query?.msn === undefined ? [] : [`_HLS_msn=${query.msn}`]),
    ...(query?.part === undefined ? [] : [`_HLS_part=${query.part}`]),
    ...(query?.skip === true ? ['_HLS_skip=YES'] : []),
  ].join('&');
  return `${stream}/${target.rendition}/index.m3u8${directives === '' ? '' : `?${directives}`}`;
}

/** What an origin knows of a stream. */
export interface StreamFacts {
  readonly epoch: Epoch;
  readonly ended: boolean;
  readonly targetDurationS: number;
  readonly multivariant: MultivariantFacts;
}

const optional = z.number().positive().optional();
const uri = z.string().regex(renditionPattern);
const factsSchema = z.object({
  epoch: z.number(),
  ended: z.boolean(),
  target_duration_s: z.number().int().min(1).max(60),
  independent_segments: z.boolean(),
  variants: z
    .array(
      z.object({
        uri,
        bandwidth_bps: z.number().positive(),
        average_bandwidth_bps: z.number().positive(),
        codecs: z.array(z.string().max(100)).max(16),
        width: optional,
        height: optional,
        frame_rate: optional,
        audio_group: z.string().max(40).optional(),
      }),
    )
    .max(32),
  audio: z
    .array(
      z.object({
        group: z.string().max(40),
        name: z.string().max(40),
        uri,
        channels: optional,
        is_default: z.boolean(),
      }),
    )
    .max(32),
});

export function encodeFacts({ epoch, ended, targetDurationS, multivariant }: StreamFacts): string {
  const wire: z.input<typeof factsSchema> = {
    epoch,
    ended,
    target_duration_s: targetDurationS,
    independent_segments: multivariant.independentSegments,
    variants: multivariant.variants.map((variant) => ({
      uri: variant.uri,
      bandwidth_bps: variant.bandwidthBps,
      average_bandwidth_bps: variant.averageBandwidthBps,
      codecs: [...variant.codecs],
      width: variant.width,
      height: variant.height,
      frame_rate: variant.frameRate,
      audio_group: variant.audioGroup,
    })),
    audio: multivariant.audio.map(({ group, name, uri, channels, isDefault }) => ({
      group,
      name,
      uri,
      channels,
      is_default: isDefault,
    })),
  };
  return JSON.stringify(wire);
}

/** Undefined: no facts of ours. */
export function decodeFacts(text: string): StreamFacts | undefined {
  const { data } = factsSchema.safeParse(parseJson(text));
  const epoch = data === undefined ? undefined : parseEpoch(data.epoch);
  if (data === undefined || epoch === undefined || !epoch.ok) return undefined;
  return {
    epoch: epoch.value,
    ended: data.ended,
    targetDurationS: data.target_duration_s,
    multivariant: {
      independentSegments: data.independent_segments,
      variants: data.variants.map((variant) => ({
        uri: variant.uri,
        bandwidthBps: variant.bandwidth_bps,
        averageBandwidthBps: variant.average_bandwidth_bps,
        codecs: variant.codecs,
        width: variant.width,
        height: variant.height,
        frameRate: variant.frame_rate,
        audioGroup: variant.audio_group,
      })),
      audio: data.audio.map(({ group, name, uri, channels, is_default }) => ({
        group,
        name,
        uri,
        channels,
        isDefault: is_default,
      })),
    },
  };
}

const problemSchema = z.object({ type: z.string(), detail: z.string().max(500).optional() });

/** The absence that a problem document stands for; undefined for one that no origin of ours sends to an edge. */
export function decodeAbsence(status: number, text: string): Absence | undefined {
  const { data } = problemSchema.safeParse(parseJson(text));
  if (data === undefined) return undefined;
  const kind = data.type.slice(data.type.lastIndexOf('/') + 1);
  const detail = data.detail ?? '';
  if (status === 404) return kind === 'not-live' || kind === 'ended' ? { kind } : { kind: 'not-found', detail };
  if (status === 400) return { kind: 'bad-request', detail };
  if (status !== 503) return undefined;
  const reasons = ['timed-out', 'too-busy', 'starting', 'draining'] as const;
  return { kind: 'unavailable', reason: reasons.find((reason) => reason === kind) ?? 'too-busy', detail };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
