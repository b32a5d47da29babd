import type { IncomingMessage } from 'node:http';
import { expectOk } from '@millrace/result';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createClientAddress, type ForwardedHeader } from './client-address.ts';

function addressOf(
  peer: string,
  headers: Record<string, string>,
  trustedProxies = '',
  header: ForwardedHeader = 'x-forwarded-for',
) {
  const read = expectOk(createClientAddress({ trustedProxies, header }), 'networks of the test');
  return read({ socket: { remoteAddress: peer }, headers } as unknown as IncomingMessage);
}

describe('the address of a client', () => {
  it('is the peer where nobody is trusted, whatever the headers say', () => {
    const headers = { 'x-forwarded-for': '198.51.100.7', forwarded: 'for=198.51.100.7' };
    expect(addressOf('203.0.113.9', headers)).toBe('203.0.113.9');
    expect(addressOf('203.0.113.9', headers, '10.0.0.0/8')).toBe('203.0.113.9');
    expect(addressOf('::ffff:203.0.113.9', {})).toBe('203.0.113.9');
  });

  it('is what the nearest trusted proxy says, not what a client wrote before it', () => {
    const headers = { 'x-forwarded-for': '192.0.2.66, 198.51.100.7, 10.0.0.2' };
    expect(addressOf('10.0.0.1', headers, '10.0.0.0/8')).toBe('198.51.100.7');
    expect(addressOf('10.0.0.1', { 'x-forwarded-for': 'evil, 198.51.100.7' }, '10.0.0.1')).toBe('198.51.100.7');
  });

  it('is not read from the header that was not agreed on', () => {
    expect(addressOf('10.0.0.1', { forwarded: 'for=192.0.2.66' }, '10.0.0.0/8')).toBe('10.0.0.1');
    const both = { 'x-forwarded-for': '192.0.2.66', forwarded: 'for=198.51.100.7;proto=https' };
    expect(addressOf('10.0.0.1', both, '10.0.0.0/8', 'forwarded')).toBe('198.51.100.7');
  });

  it.each([
    ['for="[2001:db8::1]:4711"', '2001:db8::1'],
    ['for=198.51.100.7:80;by=10.0.0.1', '198.51.100.7'],
    ['for=_hidden', '::1'],
    ['for=unknown', '::1'],
    ['by=10.0.0.1', '::1'],
  ])('is read from Forwarded %s', (forwarded, address) => {
    expect(addressOf('::1', { forwarded }, '::1', 'forwarded')).toBe(address);
  });

  it('is never what an untrusted client can choose', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.ipV4(), (written, real) => {
        fc.pre(!real.startsWith('10.'));
        expect(addressOf('10.0.0.1', { 'x-forwarded-for': `${written}, ${real}` }, '10.0.0.0/8')).toBe(real);
      }),
    );
  });

  it.each(['10.0.0.0/33', 'proxy.example', '::1/129', '10.0.0.0/8/8', '10.0.0.0/'])(
    'needs networks, not %s',
    (networks) => {
      expect(createClientAddress({ trustedProxies: networks, header: 'forwarded' }).ok).toBe(false);
    },
  );
});
