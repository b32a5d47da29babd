/** A provider as docs/images.md describes it, on a listener of its own, over a generator in memory. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GeneratorOrder } from '../core/video-generator.ts';
import { createMemoryGenerator, type MemoryGenerator } from './memory-generator.ts';

export interface GeneratorServer extends AsyncDisposable {
  readonly url: string;
  readonly behind: MemoryGenerator;
  /** Authorization headers that came. */
  readonly shown: ReadonlySet<string>;
  /** When set, every call is answered so. */
  override: { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string } | undefined;
}

export async function openGeneratorServer(): Promise<GeneratorServer> {
  const behind = createMemoryGenerator();
  const shown = new Set<string>();
  const { signal } = new AbortController();
  const server = createServer((request, response) => void reply(request, response));
  const reply = async (request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
    shown.add(request.headers.authorization ?? '');
    const answer = (status: number, body?: unknown) =>
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(body === undefined ? '' : JSON.stringify(body));
    if (opened.override !== undefined) {
      const { status, headers = {}, body = '' } = opened.override;
      return response.writeHead(status, headers).end(body);
    }
    const [, , id = '', video] = (request.url ?? '').split('/');
    if (request.method === 'POST') {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const order = JSON.parse(Buffer.concat(pieces).toString()) as GeneratorOrder;
      if (request.headers['idempotency-key'] !== order.request_id) return answer(400);
      const begun = await behind.begin(order, signal);
      return begun.ok ? answer(202, { id: begun.value }) : answer(500);
    }
    const state = await behind.state(id, signal);
    if (!state.ok) return answer(404);
    if (request.method === 'DELETE') {
      await behind.cancel(id, signal);
      return response.writeHead(204).end();
    }
    if (video === 'video') return response.writeHead(200, { 'content-type': 'video/mp4' }).end(behind.video);
    switch (state.value.kind) {
      case 'working':
        return answer(200, { status: 'running', progress: state.value.done });
      case 'completed':
        return answer(200, { status: 'completed' });
      case 'failed':
        return answer(200, { status: 'failed', reason: state.value.reason, retryable: state.value.retryable });
    }
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const opened: GeneratorServer = {
    ...{ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, behind, shown, override: undefined },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return opened;
}
