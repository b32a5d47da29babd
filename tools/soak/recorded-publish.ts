/** The bytes that a real encoder sends while it publishes, to be replayed broken. */
import { connect, createServer } from 'node:net';
import { startChild } from '../rig/child.ts';

/** Lets ffmpeg publish through a recording relay to `rtmpUrl` and returns the first `maxBytes` that it sent. */
export async function recordPublish(file: string, rtmpUrl: string, key: string, maxBytes: number): Promise<Buffer> {
  const target = new URL(rtmpUrl);
  const received: Buffer[] = [];
  let size = 0;
  let full: () => void = () => {};
  const enough = new Promise<void>((resolve) => {
    full = resolve;
  });
  const relay = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    client.on('data', (bytes) => {
      received.push(bytes);
      size += bytes.length;
      if (size >= maxBytes) full();
    });
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) {
      socket.on('error', () => {
        client.destroy();
        upstream.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const address = relay.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  {
    const input = ['-re', '-i', file, '-c', 'copy', '-f', 'flv', `rtmp://127.0.0.1:${port}${target.pathname}/${key}`];
    await using publisher = startChild('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-nostdin', ...input]);
    await Promise.race([enough, publisher.ended]);
  }
  await new Promise((resolve) => relay.close(resolve));
  const bytes = Buffer.concat(received);
  if (bytes.length < maxBytes) throw new Error(`expected ${maxBytes} bytes from the publisher, got ${bytes.length}`);
  return bytes.subarray(0, maxBytes);
}
