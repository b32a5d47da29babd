/** The bytes that a real encoder sends, taken by a proxy in front of a real ingest. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { publishWithFfmpeg } from './ffmpeg.ts';
import type { TestIngest } from './harness.ts';

/** Publishes `seconds` of ffmpeg to `ingest` under `key` and returns everything that it sent. */
export async function recordFfmpeg(
  ingest: TestIngest,
  key: string,
  given: { readonly seconds: number; readonly extra?: readonly string[] },
): Promise<Uint8Array> {
  const sent: Buffer[] = [];
  const sockets: Socket[] = [];
  const proxy = createServer((client) => {
    const server = connect(ingest.service.rtmpPort, '127.0.0.1');
    sockets.push(client, server);
    for (const socket of [client, server]) socket.on('error', () => {});
    client.on('data', (bytes: Buffer) => sent.push(bytes));
    client.pipe(server).pipe(client);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  try {
    const url = `rtmp://127.0.0.1:${(proxy.address() as AddressInfo).port}/live/${key}`;
    await using encoder = publishWithFfmpeg(url, given);
    if ((await encoder.exited) !== 0) throw new Error(`ffmpeg failed: ${encoder.output()}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  }
  return Uint8Array.from(Buffer.concat(sent)); // not a Buffer: its slice would share memory
}
