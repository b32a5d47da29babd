import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@millrace/clock';
import { type CmafPart, CmafReader } from '@millrace/cmaf';
import { problem } from '@millrace/http';
import type { Epoch, StreamId } from '@millrace/ids';
import { assertNever } from '@millrace/result';
import { splitPartMark } from './part-mark.ts';
import type { LiveWindowWriter, WriteRefusal } from './window-port.ts';
import { encodeAnswer, maxPartBytes, refusalStatus } from './window-wire.ts';

/** A writer sends nothing for this long: its connection is cut, ms. It ends idle requests itself after 3 s. */
const idleMs = 10_000;

/** Where the parts of one request belong. */
export interface SegmentTarget {
  readonly streamId: StreamId;
  readonly epoch: Epoch;
  readonly rendition: string;
  readonly segment: number;
}

/** Takes the parts of one PUT as they arrive and answers each. Resolves with how the request came out. */
export async function takeSegment(given: {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: SegmentTarget;
  readonly writer: LiveWindowWriter;
  readonly clock: Clock;
  readonly onPart: () => void;
}): Promise<'done' | 'cut-off' | 'idle' | WriteRefusal['kind']> {
  const { request, response, target, writer, clock } = given;
  const reader = new CmafReader({ maxPartBytes });
  let heardMs = clock.monotonicMs();
  let idle = false;
  const watch = clock.every(idleMs / 4, () => {
    if (clock.monotonicMs() - heardMs < idleMs) return;
    idle = true;
    request.destroy();
  });
  const refuse = (part: number, refusal: WriteRefusal): WriteRefusal['kind'] => {
    if (response.headersSent) response.end(encodeAnswer(part, refusal));
    else writeRefusal(response, refusal);
    return refusal.kind;
  };
  try {
    // The connection outlives a refusal: the rest of the body is read and dropped by node when the answer has ended.
    for await (const bytes of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      heardMs = clock.monotonicMs();
      const parts = reader.feed(bytes);
      if (!parts.ok) return refuse(0, { kind: 'bad-part', message: parts.error.message });
      for (const part of parts.value) {
        const written = await takePart(part, target, writer);
        if (written.refusal) return refuse(written.part, written.refusal);
        given.onPart();
        if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
        if (written.last) response.end(encodeAnswer(written.part));
        else if (!response.writableEnded) response.write(encodeAnswer(written.part));
      }
    }
    if (!reader.atBoundary) return refuse(0, { kind: 'bad-part', message: 'the request ended inside a part' });
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.end();
    return 'done';
  } catch (error) {
    if (!request.destroyed) throw error;
    response.destroy();
    return idle ? 'idle' : 'cut-off'; // the writer went away; its successor sends the part again
  } finally {
    watch.cancel();
  }
}

async function takePart(
  { dts, duration, independent, bytes: [head, ...media] }: CmafPart,
  target: SegmentTarget,
  writer: LiveWindowWriter,
): Promise<{ readonly part: number; readonly last: boolean; readonly refusal?: WriteRefusal }> {
  const split = head && splitPartMark(head);
  if (split === undefined) {
    const message = 'expected a part mark in front of the moof';
    return { part: 0, last: false, refusal: { kind: 'bad-part', message } };
  }
  const { mark, rest } = split;
  const write = { ...target, ...mark, dts, duration, independent, bytes: [rest, ...media] };
  const result = await writer.part(write);
  return { part: mark.part, last: mark.last, ...(result.ok ? {} : { refusal: result.error }) };
}

/** A problem document whose `refusal` is for the writer and whose detail is for people. */
export function writeRefusal(response: ServerResponse, refusal: WriteRefusal): void {
  const status = refusalStatus[refusal.kind];
  const document = problem(status, `window-${refusal.kind}`, 'Write refused', { detail: describe(refusal) });
  response
    .writeHead(status, { 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
    .end(JSON.stringify({ ...document, refusal }));
}

function describe(refusal: WriteRefusal): string {
  switch (refusal.kind) {
    case 'stale-epoch':
      return `a writer with epoch ${refusal.current} exists`;
    case 'unexpected-part':
      return `expected segment ${refusal.expected.segment}, part ${refusal.expected.part}`;
    case 'unknown-stream':
    case 'not-open':
    case 'bad-part':
    case 'unavailable':
      return refusal.message;
    default:
      return assertNever(refusal);
  }
}
