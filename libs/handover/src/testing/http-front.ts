import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpMount } from '@millrace/http';

/** A listener on a free loopback port that serves `mounts` only. */
export interface HttpFront extends AsyncDisposable {
  readonly baseUrl: string;
  readonly server: Server;
}

/** Opens one, for tests. */
export async function openHttpFront(...mounts: readonly HttpMount[]): Promise<HttpFront> {
  const find = (url = '/') => mounts.find((mount) => url.startsWith(mount.prefix));
  const server = createServer((request, response) => {
    const mount = find(request.url);
    if (mount) mount.handle(request, response);
    else response.writeHead(404).end();
  });
  server.on('upgrade', (request, socket, head: Buffer) => {
    const mount = find(request.url);
    if (mount?.upgrade) mount.upgrade(request, socket, head);
    else socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    server,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
