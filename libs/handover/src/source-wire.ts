/**
 * The wire of a source claim: one HTTP/1.1 request with `Upgrade: millrace-flv` a slot.
 *
 * - Parked: the request is unanswered. Ingest sends `102 Processing` and the worker an empty line each second (RFC 9110
 *   15.2; RFC 9112 2.2 lets a server ignore it); who hears nothing for a few seconds gives the connection up.
 * - Assigned: `101` with the assignment in a header, then FLV down, JSON lines up. `interrupted`, `ended`, `superseded` and
 *   a `ping` in quiet seconds go down as control tags, in their place among the tags.
 * - The connection is the lease: nobody re-joins a claim.
 */
import { type Epoch, parseEpoch, parseId } from '@millrace/ids';
import { err, ok, type Result } from '@millrace/result';
import { z } from 'zod';
import type { SourceAssignment } from './source-port.ts';

export const claimPath = '/internal/v1/source-claims';
export const claimProtocol = 'millrace-flv';
export const assignmentHeader = 'millrace-assignment';
export const workerHeader = 'millrace-worker-id';

/** How often both sides show a sign of life, ms. */
export const pingMs = 1_000;
/** A parked worker that is silent this long is taken out of the queue, ms. */
export const parkedSilenceMs = 3_500;
/** An ingest that is silent this long (parked or not) is given up by the worker, ms. */
export const ingestSilenceMs = 5_000;
/** Longest line up, bytes. */
export const maxLineBytes = 2_048;

/** Ids of workers as they stand in headers and logs. */
export const workerIdPattern = /^[\w.:-]{1,128}$/;

/** Words that go down as control tags. */
export type DownWord = 'interrupted' | 'ended' | 'superseded' | 'ping';

const assignmentSchema = z.object({
  stream_id: idSchema('str'),
  epoch: z.number().transform((value, context): Epoch => {
    const parsed = parseEpoch(value);
    if (parsed.ok) return parsed.value;
    context.addIssue(parsed.error.message);
    return z.NEVER;
  }),
  publish_id: idSchema('pub'),
  latency_mode: z.enum(['low', 'standard']),
  origin_wall_ms: z.number(),
  origin_timestamp_ms: z.number(),
  first_timestamp_ms: z.number(),
});

function idSchema<P extends 'str' | 'pub'>(prefix: P) {
  return z.string().transform((text, context) => {
    const parsed = parseId(prefix, text);
    if (parsed.ok) return parsed.value;
    context.addIssue(parsed.error.message);
    return z.NEVER;
  });
}

/** The header's value: base64url of snake_case JSON. */
export function encodeAssignment(assignment: SourceAssignment): string {
  const wire: z.input<typeof assignmentSchema> = {
    stream_id: assignment.streamId,
    epoch: assignment.epoch,
    publish_id: assignment.publishId,
    latency_mode: assignment.latencyMode,
    origin_wall_ms: assignment.originWallMs,
    origin_timestamp_ms: assignment.originTimestampMs,
    first_timestamp_ms: assignment.firstTimestampMs,
  };
  return Buffer.from(JSON.stringify(wire)).toString('base64url');
}

/** Reads the header back; the error says what was wrong with it. */
export function decodeAssignment(
  header: string,
): Result<SourceAssignment, { readonly kind: 'bad-assignment'; readonly message: string }> {
  const parsed = assignmentSchema.safeParse(parseJson(Buffer.from(header, 'base64url').toString()));
  if (!parsed.success) return err({ kind: 'bad-assignment', message: z.prettifyError(parsed.error) });
  const wire = parsed.data;
  return ok({
    streamId: wire.stream_id,
    epoch: wire.epoch,
    publishId: wire.publish_id,
    latencyMode: wire.latency_mode,
    originWallMs: wire.origin_wall_ms,
    originTimestampMs: wire.origin_timestamp_ms,
    firstTimestampMs: wire.first_timestamp_ms,
  });
}

/** What a worker says, one JSON object a line. */
export type UpLine =
  | { readonly kind: 'heartbeat'; readonly lastPackagedMs: number | undefined }
  /** Hold tags back, and: ready again. */
  | { readonly kind: 'paused' }
  | { readonly kind: 'resumed' }
  | { readonly kind: 'released'; readonly reason: string };

const upLineSchema = z.union([
  z
    .strictObject({ packaged_ms: z.number().nullable() })
    .transform(({ packaged_ms }): UpLine => ({ kind: 'heartbeat', lastPackagedMs: packaged_ms ?? undefined })),
  z.strictObject({ paused: z.boolean() }).transform(({ paused }): UpLine => ({ kind: paused ? 'paused' : 'resumed' })),
  z.strictObject({ release: z.string() }).transform(({ release }): UpLine => ({ kind: 'released', reason: release })),
]);

/** One line with its line feed; a release reason is cut at 500 characters. */
export function encodeUpLine(line: UpLine): string {
  switch (line.kind) {
    case 'heartbeat':
      return `{"packaged_ms":${line.lastPackagedMs ?? null}}\n`;
    case 'paused':
      return '{"paused":true}\n';
    case 'resumed':
      return '{"paused":false}\n';
    case 'released':
      return `${JSON.stringify({ release: line.reason.slice(0, 500) })}\n`;
  }
}

/** Reads a line back; undefined when it is none of ours. */
export function decodeUpLine(text: string): UpLine | undefined {
  const parsed = upLineSchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
