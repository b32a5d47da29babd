import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expectOk } from '@millrace/result';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayReach, parseNetworks } from './public-address.ts';
import { createPublicFetch } from './public-fetch.ts';

const none = expectOk(parseNetworks([]), 'no networks');
const loopback = expectOk(parseNetworks(['127.0.0.0/8']), 'loopback');
const never = new AbortController().signal;

async function serving(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = (server.address() as AddressInfo).port;
  const end = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { port, url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: end };
}

async function text(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

describe('public addresses', () => {
  it('are none of our own networks, in whatever words they are written', () => {
    const ours = [
      ...['127.0.0.1', '127.255.0.9', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254'],
      ...['0.0.0.0', '100.64.0.1', '198.18.0.1', '224.0.0.1', '255.255.255.255', '::1', '::', 'fe80::1', 'fd00::1'],
      ...['fc00::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '64:ff9b::7f00:1', '2002:7f00:1::', '2001::1', 'ff02::1'],
      'localhost',
    ];
    for (const address of ours) expect([address, mayReach(address, none)]).toEqual([address, false]);
    for (const address of ['8.8.8.8', '1.1.1.1', '172.32.0.1', '2606:4700::1111', '2a00:1450:4001::5']) {
      expect([address, mayReach(address, none)]).toEqual([address, true]);
    }
  });

  it('in a private range stay closed for every host part', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(
        fc.constantFrom('10', '127', '0', '192.168', '169.254', '100.100'),
        byte,
        byte,
        byte,
        (head, a, b, c) => {
          const address = [...head.split('.'), a, b, c].slice(0, 4).join('.');
          expect(mayReach(address, none)).toBe(false);
        },
      ),
    );
  });

  it('can be joined by networks of the operator, whose mistakes are named', () => {
    const lan = expectOk(parseNetworks(['10.1.0.0/16', 'fd00::/8', '192.168.1.7']), 'networks');
    expect(mayReach('10.1.2.3', lan)).toBe(true);
    expect(mayReach('10.2.0.1', lan)).toBe(false);
    expect(mayReach('fd12::1', lan)).toBe(true);
    expect(mayReach('192.168.1.7', lan)).toBe(true);
    expect(mayReach('192.168.1.8', lan)).toBe(false);
    for (const bad of ['10.0.0.0/33', 'here', '10.0.0.0/x', '']) expect(parseNetworks([bad]).ok).toBe(false);
  });
});

describe('a request to a URL of a user', () => {
  const open = createPublicFetch({ allowed: loopback, userAgent: 'Millrace' });

  it('brings what is there, through redirects', async () => {
    await using server = await serving((request, response) => {
      if (request.url === '/from') response.writeHead(302, { location: '/to' }).end();
      else
        response.writeHead(200, { 'content-type': 'video/mp4' }).end(`${request.url} ${request.headers['user-agent']}`);
    });
    using answer = expectOk(await open.fetch(`${server.url}/from`, { signal: never }), 'answer');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('video/mp4');
    expect(await text(answer.bytes)).toBe('/to Millrace');
  });

  it('is refused where the URL itself says that it is ours, or no web address', async () => {
    const closed = createPublicFetch({ allowed: none, userAgent: 'Millrace' });
    const wrong = [
      ...['ftp://example.com/a', 'file:///etc/passwd', 'gopher://x/', 'nonsense', 'http://user:pass@example.com/'],
      ...['http://127.0.0.1/', 'http://0x7f.1/', 'http://2130706433/', 'http://[::1]/', 'http://[::ffff:10.0.0.1]/'],
      'http://169.254.169.254/latest/meta-data/',
    ];
    for (const url of wrong) {
      expect([url, closed.refuse(url)]).toEqual([url, expect.any(String)]);
      expect(await closed.fetch(url, { signal: never })).toMatchObject({ ok: false, error: { kind: 'refused' } });
    }
    expect(closed.refuse('https://example.com/video.mp4')).toBeUndefined();
  });

  it('does not reach a name that leads to us, nor one that does so only among others', async () => {
    await using server = await serving((_, response) => void response.end('secret'));
    for (const addresses of [['127.0.0.1'], ['8.8.8.8', '127.0.0.1'], ['::ffff:127.0.0.1']]) {
      const resolve = () =>
        Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
      const closed = createPublicFetch({ allowed: none, userAgent: 'Millrace', resolve });
      const answer = await closed.fetch(`http://rebind.example:${server.port}/`, { signal: never });
      expect(answer).toMatchObject({
        ok: false,
        error: { kind: 'refused', message: expect.stringContaining('rebind') },
      });
    }
  });

  it('asks for a name once: an answer that changes afterwards is never seen', async () => {
    await using server = await serving((_, response) => void response.end('there'));
    let asked = 0;
    const resolve = () => Promise.resolve([{ address: asked++ === 0 ? '127.0.0.1' : '127.9.9.9', family: 4 }]);
    const named = createPublicFetch({ allowed: loopback, userAgent: 'Millrace', resolve });
    using answer = expectOk(await named.fetch(`http://once.example:${server.port}/`, { signal: never }), 'answer');
    expect(await text(answer.bytes)).toBe('there');
    expect(asked).toBe(1);
  });

  it('goes to the address itself, whatever proxy the environment names', async () => {
    await using server = await serving((_, response) => void response.end('there'));
    const names = ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'];
    const before = names.map((name) => [name, process.env[name]] as const);
    for (const name of names) process.env[name] = 'http://127.0.0.1:1';
    try {
      using answer = expectOk(await open.fetch(server.url, { signal: never }), 'answer');
      expect(await text(answer.bytes)).toBe('there');
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });

  it('does not follow a redirect to us, nor redirects without end, nor any with a POST', async () => {
    await using server = await serving((request, response) => {
      const target = request.url === '/in' ? 'http://10.0.0.1/' : '/again';
      response.writeHead(302, { location: target }).end();
    });
    expect(await open.fetch(`${server.url}/in`, { signal: never })).toMatchObject({
      error: { kind: 'refused', message: expect.stringContaining('10.0.0.1') },
    });
    expect(await open.fetch(`${server.url}/again`, { signal: never })).toMatchObject({
      error: { kind: 'refused', message: 'expected at most 5 redirects' },
    });
    using posted = expectOk(await open.fetch(`${server.url}/in`, { method: 'POST', signal: never }), 'POST');
    expect(posted.status).toBe(302);
  });

  it('ends when nobody answers, when the answer stands still, and when it is told to', async () => {
    await using silent = await serving(() => {});
    const waited = await open.fetch(silent.url, { signal: never, answerMs: 50 });
    expect(waited).toMatchObject({ error: { kind: 'unreachable', message: 'no answer in time' } });
    await using stuck = await serving((_, response) => void response.writeHead(200).write('some'));
    using answer = expectOk(await open.fetch(stuck.url, { signal: never, silenceMs: 50 }), 'head');
    await expect(text(answer.bytes)).rejects.toThrow('nothing came for 50 ms');
    const stop = new AbortController();
    const asking = open.fetch(silent.url, { signal: stop.signal });
    stop.abort(new Error('told to'));
    await expect(asking).rejects.toThrow('told to');
    await using gone = await serving(() => {});
    await gone[Symbol.asyncDispose]();
    expect(await open.fetch(gone.url, { signal: never })).toMatchObject({ error: { kind: 'unreachable' } });
  });
});
