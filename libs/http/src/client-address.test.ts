import type { IncomingHttpHeaders } from 'node:http';
import { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientAddressBehind } from './client-address.ts';

function addressOf(trusted: readonly string[], remote: string, headers: IncomingHttpHeaders = {}): string {
  const found = clientAddressBehind(trusted);
  if (!found.ok) throw new Error(found.error);
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: remote });
  return found.value({ headers, socket });
}

describe('the address of a client', () => {
  it('is the peer’s where no proxy is trusted, whatever he says', () => {
    const headers = { 'x-forwarded-for': '1.2.3.4', forwarded: 'for=1.2.3.4' };
    expect(addressOf([], '203.0.113.9', headers)).toBe('203.0.113.9');
    expect(addressOf(['10.0.0.0/8'], '203.0.113.9', headers)).toBe('203.0.113.9');
  });

  it('is the nearest one that is not a proxy of ours', () => {
    const hops = { 'x-forwarded-for': '6.6.6.6, 198.51.100.7, 10.2.0.1' };
    expect(addressOf(['10.0.0.0/8'], '::ffff:10.1.1.1', hops)).toBe('198.51.100.7');
    expect(addressOf(['10.0.0.0/8', '198.51.100.7'], '10.1.1.1', hops)).toBe('6.6.6.6');
  });

  it('is read from Forwarded too, with ports and brackets', () => {
    expect(addressOf(['::1'], '::1', { forwarded: 'for="[2001:db8::7]:4711";proto=https' })).toBe('2001:db8::7');
    expect(addressOf(['127.0.0.1'], '127.0.0.1', { forwarded: 'proto=http;for=192.0.2.43:80' })).toBe('192.0.2.43');
  });

  it('stays at the last hop that can be read', () => {
    expect(addressOf(['10.0.0.0/8'], '10.1.1.1', { 'x-forwarded-for': '1.2.3.4, unknown' })).toBe('10.1.1.1');
    expect(addressOf(['10.0.0.0/8'], '10.1.1.1', { 'x-forwarded-for': '' })).toBe('10.1.1.1');
  });

  it('is never one that only a stranger wrote', () => {
    fc.assert(
      fc.property(fc.array(fc.ipV4(), { maxLength: 40 }), fc.ipV4(), (said, client) => {
        fc.pre(!client.startsWith('10.'));
        const headers = { 'x-forwarded-for': [...said, client].join(', ') };
        expect(addressOf(['10.0.0.0/8'], '10.0.0.1', headers)).toBe(client);
      }),
    );
  });

  it('needs ranges that are ranges', () => {
    for (const range of ['nginx', '10.0.0.0/33', '10.0.0.0/8/8', '', '::/129']) {
      expect(clientAddressBehind([range])).toMatchObject({ ok: false });
    }
  });
});
