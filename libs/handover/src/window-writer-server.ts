import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, systemClock } from '@millrace/clock';
import { guardMount, type HttpMount, problem, serviceTokenGuard, writeProblem } from '@millrace/http';
import { type Epoch, parseEpoch, parseId, type StreamId } from '@millrace/ids';
import type { Logger } from '@millrace/log';
import { type SegmentTarget, takeSegment, writeRefusal } from './segment-upload.ts';
import type { LiveWindowOrigin, WriteRefusal } from './window-port.ts';
import { decodeOpen, encodeStanding, encodeState, livePath, maxOpenBytes, renditionPattern } from './window-wire.ts';

/** What may be counted: a bounded set, for a metric's `reason`. */
export type WindowWriteEvent =
  | 'opened'
  | 'part'
  | 'ended'
  | 'standing'
  | 'segment-request'
  | 'cut-off'
  | 'idle'
  | 'bad-request'
  | 'too-many'
  | 'crashed'
  | WriteRefusal['kind'];

export interface WindowWriterServerOptions {
  /** The real window; every call it gets has passed the service token and the schemas. */
  readonly writer: LiveWindowOrigin;
  /** At least 16 characters. */
  readonly serviceToken: string;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Most requests at a time. */
  readonly maxRequests?: number;
  readonly onEvent?: (event: WindowWriteEvent) => void;
}

type Route =
  | { readonly kind: 'standing'; readonly streamId: StreamId }
  | { readonly kind: 'open' | 'end'; readonly streamId: StreamId; readonly epoch: Epoch }
  | { readonly kind: 'segment'; readonly target: SegmentTarget };

/** Delivery's side over HTTP: mount it on the internal listener. */
export function openWindowWriterServer(options: WindowWriterServerOptions): { readonly mount: HttpMount } {
  const { writer, log } = options;
  const clock = options.clock ?? systemClock;
  const maxRequests = options.maxRequests ?? 1_024;
  const count = options.onEvent ?? (() => {});
  let running = 0;

  async function serve(route: Route, request: IncomingMessage, response: ServerResponse): Promise<void> {
    switch (route.kind) {
      case 'segment': {
        count('segment-request');
        const { target } = route;
        const outcome = await takeSegment({ request, response, target, writer, clock, onPart: () => count('part') });
        if (outcome === 'done') return;
        count(outcome);
        const { streamId: stream_id, epoch, rendition, segment } = target;
        return log.debug('segment-not-taken', { reason: outcome, stream_id, epoch, rendition, segment });
      }
      case 'open': {
        const text = await readText(request, maxOpenBytes);
        const window = text === undefined ? `expected at most ${maxOpenBytes} bytes` : decode(text, route);
        if (typeof window === 'string') return badRequest(response, window);
        const opened = await writer.open(window);
        if (!opened.ok) return refuse(response, opened.error);
        count('opened');
        response.writeHead(200, { 'content-type': 'application/json' }).end(encodeState(opened.value));
        return;
      }
      case 'standing': {
        request.resume();
        const standing = await writer.standing(route.streamId);
        if (!standing.ok) return refuse(response, standing.error);
        count('standing');
        response.writeHead(200, { 'content-type': 'application/json' }).end(encodeStanding(standing.value));
        return;
      }
      case 'end': {
        request.resume();
        const ended = await writer.end({ streamId: route.streamId, epoch: route.epoch });
        if (!ended.ok) return refuse(response, ended.error);
        count('ended');
        response.writeHead(204).end();
      }
    }
  }

  const decode = (text: string, { streamId, epoch }: { streamId: StreamId; epoch: Epoch }) =>
    decodeOpen(text, streamId, epoch);

  function refuse(response: ServerResponse, refusal: WriteRefusal): void {
    count(refusal.kind);
    writeRefusal(response, refusal);
  }

  function badRequest(response: ServerResponse, detail: string): void {
    count('bad-request');
    writeProblem(response, problem(400, 'bad-window-write', 'Bad window write', { detail }), { connection: 'close' });
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const route = parseRoute(request);
    if (typeof route === 'string') return badRequest(response, route);
    if (running >= maxRequests) {
      count('too-many');
      const detail = `at most ${maxRequests} requests at a time`;
      return writeProblem(response, problem(503, 'too-many-writes', 'Too many writes', { detail }), {
        connection: 'close',
      });
    }
    running++;
    serve(route, request, response)
      .catch((error: unknown) => {
        count('crashed');
        log.error('window-write-crashed', { error });
        writeProblem(response, problem(500, 'internal-error', 'Internal error'), { connection: 'close' });
      })
      .finally(() => running--);
  }

  const mount: HttpMount = { prefix: livePath, holdsAnswers: true, handle };
  return { mount: guardMount(mount, serviceTokenGuard(options.serviceToken)) };
}

/** What a request asks for; a string says what is wrong with it. */
function parseRoute(request: IncomingMessage): Route | string {
  const [path = ''] = (request.url ?? '').split('?');
  const [stream = '', epochText = '', third, file, ...more] = path.slice(livePath.length + 1).split('/');
  const streamId = parseId('str', stream);
  if (!streamId.ok) return streamId.error.message;
  if (request.method === 'GET' && epochText === '') return { kind: 'standing', streamId: streamId.value };
  const epoch = parseEpoch(epochText);
  if (!epoch.ok) return epoch.error.message;
  const ids = { streamId: streamId.value, epoch: epoch.value };
  if (request.method === 'POST' && third === undefined) return { kind: 'open', ...ids };
  if (request.method === 'POST' && third === 'end' && file === undefined) return { kind: 'end', ...ids };
  const number = /^(\d{1,9})\.m4s$/.exec(file ?? '')?.[1];
  if (request.method !== 'PUT' || third === undefined || number === undefined || more.length > 0) {
    return `expected GET /{stream}, POST /{stream}/{epoch}[/end] or PUT /{stream}/{epoch}/{rendition}/{segment}.m4s`;
  }
  if (!renditionPattern.test(third)) return `expected a rendition like ${String(renditionPattern)}`;
  return { kind: 'segment', target: { ...ids, rendition: third, segment: Number(number) } };
}

async function readText(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    length += bytes.length;
    if (length > maxBytes) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}
