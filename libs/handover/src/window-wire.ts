/**
 * The wire of live window writes, below `/internal/v1/live`:
 *
 * - `POST /{stream}/{epoch}` opens: JSON with base64 init sections in, the window's state out.
 * - `PUT /{stream}/{epoch}/{rendition}/{segment}.m4s`: one chunked request a segment, one CMAF chunk a part, each with a
 *   part mark in front. Delivery takes a part when its last byte is there and answers with one JSON line. When the first
 *   part is refused the answer is a problem document instead. A segment may be continued by a further request.
 * - `POST /{stream}/{epoch}/end` ends the broadcast.
 * - `GET /{stream}` says where the stream stands here: `{"kind":"live","epoch":n}`.
 */
import { type Epoch, type PublishId, parseEpoch, parseId, type StreamId } from '@millrace/ids';
import { z } from 'zod';
import type { OpenWindow, WindowStanding, WindowState, WriteRefusal } from './window-port.ts';

export const livePath = '/internal/v1/live';
/** Longest open request, bytes: two init sections are about 2 kB. */
export const maxOpenBytes = 1024 * 1024;
/** Longest part, bytes: 4 s of 30 Mbit/s. */
export const maxPartBytes = 16 * 1024 * 1024;
export const renditionPattern = /^[a-z0-9][a-z0-9_-]{0,31}$/;

const epochSchema = z.number().transform((value, context): Epoch => {
  const parsed = parseEpoch(value);
  if (parsed.ok) return parsed.value;
  context.addIssue(parsed.error.message);
  return z.NEVER;
});
const publishIdSchema = z.string().transform((text, context): PublishId => {
  const parsed = parseId('pub', text);
  if (parsed.ok) return parsed.value;
  context.addIssue(parsed.error.message);
  return z.NEVER;
});
const settingsSchema = z.object({
  target_duration_s: z.number().int().min(1).max(60),
  part_target_s: z.number().positive().max(10),
  part_duration_ms: z.number().positive().max(10_000),
});
const positive = z.number().positive().max(1e9).optional();
const renditionSchema = z.object({
  name: z.string().regex(renditionPattern),
  kind: z.enum(['video', 'audio']),
  codecs: z.string().min(1).max(100),
  timescale: z.number().int().min(1).max(1e9),
  width: positive,
  height: positive,
  frame_rate: positive,
  channels: positive,
  sample_rate: positive,
  init: z.base64(),
});
const openSchema = z.object({
  publish_id: publishIdSchema,
  settings: settingsSchema,
  renditions: z.array(renditionSchema).min(1).max(16),
});
const count = z.number().int().min(0);
const placeSchema = z.object({ segment: count, part: count });
const stateSchema = z.object({
  settings: settingsSchema,
  fresh: z.boolean(),
  renditions: z
    .array(
      z.object({
        name: z.string(),
        next: placeSchema,
        next_dts: z.number().nullable(),
        last_frame: z.object({ timestamp_ms: z.number(), counter_dts: z.number() }).optional(),
        segments: z.array(z.object({ segment: count, start_dts: z.number(), complete: z.boolean() })).max(64),
      }),
    )
    .max(16),
});
const refusalSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('stale-epoch'), current: epochSchema }),
  z.object({ kind: z.literal('unexpected-part'), expected: placeSchema }),
  z.object({ kind: z.literal('unknown-stream'), message: z.string() }),
  z.object({ kind: z.literal('not-open'), message: z.string() }),
  z.object({ kind: z.literal('bad-part'), message: z.string() }),
  z.object({ kind: z.literal('unavailable'), message: z.string() }),
]);
const standingSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('none') }),
  z.object({ kind: z.enum(['live', 'ended']), epoch: epochSchema }),
]);
const answerSchema = z.object({ part: count, refusal: refusalSchema.optional() });

/** The status of a refusal that comes before anything was taken. */
export const refusalStatus = {
  'stale-epoch': 409,
  'unexpected-part': 409,
  'unknown-stream': 404,
  'not-open': 412,
  'bad-part': 400,
  unavailable: 503,
} as const satisfies Record<WriteRefusal['kind'], number>;

/** The body of an open request. Stream and epoch stand in its path. */
export function encodeOpen(window: OpenWindow): string {
  const wire: z.input<typeof openSchema> = {
    publish_id: window.publishId,
    settings: encodeSettings(window.settings),
    renditions: window.renditions.map((spec) => ({
      name: spec.name,
      kind: spec.kind,
      codecs: spec.codecs,
      timescale: spec.timescale,
      width: spec.width,
      height: spec.height,
      frame_rate: spec.frameRate,
      channels: spec.channels,
      sample_rate: spec.sampleRate,
      init: Buffer.from(spec.init.buffer, spec.init.byteOffset, spec.init.byteLength).toString('base64'),
    })),
  };
  return JSON.stringify(wire);
}

/** Reads an open request; a string says what is wrong with it. */
export function decodeOpen(text: string, streamId: StreamId, epoch: Epoch): OpenWindow | string {
  const parsed = openSchema.safeParse(parseJson(text));
  if (!parsed.success) return z.prettifyError(parsed.error);
  const wire = parsed.data;
  return {
    streamId,
    epoch,
    publishId: wire.publish_id,
    settings: decodeSettings(wire.settings),
    renditions: wire.renditions.map((spec) => ({
      name: spec.name,
      kind: spec.kind,
      codecs: spec.codecs,
      timescale: spec.timescale,
      ...(spec.width === undefined ? {} : { width: spec.width }),
      ...(spec.height === undefined ? {} : { height: spec.height }),
      ...(spec.frame_rate === undefined ? {} : { frameRate: spec.frame_rate }),
      ...(spec.channels === undefined ? {} : { channels: spec.channels }),
      ...(spec.sample_rate === undefined ? {} : { sampleRate: spec.sample_rate }),
      init: new Uint8Array(Buffer.from(spec.init, 'base64')),
    })),
  };
}

/** The answer to an open request. */
export function encodeState(state: WindowState): string {
  const wire: z.input<typeof stateSchema> = {
    settings: encodeSettings(state.settings),
    fresh: state.fresh,
    renditions: state.renditions.map(({ name, next, nextDts, lastFrame, segments }) => ({
      name,
      next,
      next_dts: nextDts ?? null,
      ...(lastFrame && { last_frame: { timestamp_ms: lastFrame.timestampMs, counter_dts: lastFrame.counterDts } }),
      segments: segments.map(({ segment, startDts, complete }) => ({ segment, start_dts: startDts, complete })),
    })),
  };
  return JSON.stringify(wire);
}

/** Reads it back; undefined when it is none. */
export function decodeState(text: string): WindowState | undefined {
  const parsed = stateSchema.safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  const { settings, fresh, renditions } = parsed.data;
  return {
    settings: decodeSettings(settings),
    fresh,
    renditions: renditions.map(({ name, next, next_dts, last_frame: frame, segments }) => ({
      name,
      next,
      nextDts: next_dts ?? undefined,
      ...(frame && { lastFrame: { timestampMs: frame.timestamp_ms, counterDts: frame.counter_dts } }),
      segments: segments.map(({ segment, start_dts, complete }) => ({ segment, startDts: start_dts, complete })),
    })),
  };
}

/** One line of a segment's answer: `{"part":3}` or `{"part":3,"refusal":{...}}`. */
export function encodeAnswer(part: number, refusal?: WriteRefusal): string {
  return `${JSON.stringify({ part, refusal })}\n`;
}

/** Reads a line back; undefined when it is none of ours. */
export function decodeAnswer(
  text: string,
): { readonly part: number; readonly refusal?: WriteRefusal | undefined } | undefined {
  const parsed = answerSchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : undefined;
}

/** The refusal in a problem document; anything else that is no success is `unavailable`. */
export function decodeRefusal(status: number, text: string): WriteRefusal {
  const parsed = z.object({ refusal: refusalSchema }).safeParse(parseJson(text));
  if (parsed.success) return parsed.data.refusal;
  return { kind: 'unavailable', message: `delivery answered ${status}: ${text.slice(0, 200)}` };
}

function encodeSettings(settings: OpenWindow['settings']): z.input<typeof settingsSchema> {
  return {
    target_duration_s: settings.targetDurationS,
    part_target_s: settings.partTargetS,
    part_duration_ms: settings.partDurationMs,
  };
}

function decodeSettings(wire: z.output<typeof settingsSchema>): OpenWindow['settings'] {
  return {
    targetDurationS: wire.target_duration_s,
    partTargetS: wire.part_target_s,
    partDurationMs: wire.part_duration_ms,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function encodeStanding(standing: WindowStanding): string {
  return JSON.stringify(standing);
}

/** Undefined: no standing of ours. */
export function decodeStanding(text: string): WindowStanding | undefined {
  return standingSchema.safeParse(parseJson(text)).data;
}
