/** A server of one file that stops in the middle when it is asked for all of it, and gives the rest to whoever asks for that. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HaltingServer extends AsyncDisposable {
  readonly url: string;
  /** Of each request: what was asked for in `Range`, and by what. */
  readonly asked: readonly { readonly range: string | undefined; readonly ifRange: string | undefined }[];
}

/** Serves `file` on loopback; whoever asks for all of it gets its first `haltAt` bytes, and then nothing for as long as it waits. */
export async function startHaltingServer(file: Uint8Array, haltAt: number): Promise<HaltingServer> {
  const asked: { range: string | undefined; ifRange: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const { range } = request.headers;
    const ifRange = request.headers['if-range'];
    asked.push({ range, ifRange: typeof ifRange === 'string' ? ifRange : undefined });
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]);
    const headers = { etag: '"one"', 'content-type': 'video/mp4' };
    if (Number.isNaN(from)) {
      response.writeHead(200, { ...headers, 'content-length': file.length }).write(file.subarray(0, haltAt));
      return;
    }
    const contentRange = `bytes ${from}-${file.length - 1}/${file.length}`;
    response.writeHead(206, { ...headers, 'content-range': contentRange }).end(file.subarray(from));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/film.mp4`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
