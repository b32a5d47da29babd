import { once } from 'node:events';
import { createServer } from 'node:net';
import { toListenError } from './listen-error.ts';

/**
 * Rejects with a ListenError when `port` of `host` cannot be listened on now. For the beginning of a start that opens its listeners
 * late: whoever starts a server learns of a taken port before databases were made. Port 0 is always free.
 */
export async function assertListenable(host: string, port: number, setting: string): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  try {
    await once(server.listen({ host, port, exclusive: true }), 'listening');
  } catch (error) {
    throw error instanceof Error ? toListenError(error, host, port, setting) : error;
  }
  const closed = once(server, 'close');
  server.close();
  await closed;
}
