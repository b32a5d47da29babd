import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { assertListenable } from './listen-check.ts';

it('a port that is taken is told with its setting before a start, and a free one stays free', async () => {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const taken = assertListenable('127.0.0.1', port, 'X_PORT');
  await expect(taken).rejects.toMatchObject({ kind: 'port-in-use', port });
  await expect(taken).rejects.toThrow('set X_PORT');
  const closed = once(server, 'close');
  server.close();
  await closed;
  await assertListenable('127.0.0.1', port, 'X_PORT');
  await assertListenable('127.0.0.1', port, 'X_PORT');
  await assertListenable('127.0.0.1', 0, 'X_PORT');
});

it('an address of another machine is told as such', async () => {
  await expect(assertListenable('192.0.2.1', 45_678, 'X_PORT')).rejects.toMatchObject({ kind: 'address-unavailable' });
});
