import { type IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { loadSettings } from '@millrace/config';
import { expectOk } from '@millrace/result';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createClientAddress } from './client-address.ts';
import { proxySettings } from './proxy-settings.ts';

function settingsOf(trusted: string, header = 'x-forwarded-for') {
  return loadSettings(proxySettings, { TRUSTED_PROXIES: trusted, FORWARDED_HEADER: header });
}

function addressOf(peer: string, headers: IncomingHttpHeaders, trusted = '', header?: string): string | undefined {
  const read = createClientAddress(expectOk(settingsOf(trusted, header), 'proxies of the test'));
  const request = new IncomingMessage(Object.defineProperty(new Socket(), 'remoteAddress', { value: peer }));
  return read(Object.assign(request, { headers }));
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
    expect(addressOf('::ffff:10.0.0.1', headers, '10.0.0.0/8')).toBe('198.51.100.7');
    expect(addressOf('10.0.0.1', headers, '10.0.0.0/8, 198.51.100.7')).toBe('192.0.2.66');
    expect(addressOf('10.0.0.1', { 'x-forwarded-for': 'evil, 198.51.100.7' }, '10.0.0.1')).toBe('198.51.100.7');
  });

  it('stays at the last hop that can be read', () => {
    expect(addressOf('10.1.1.1', { 'x-forwarded-for': '1.2.3.4, unknown' }, '10.0.0.0/8')).toBe('10.1.1.1');
    expect(addressOf('10.1.1.1', { 'x-forwarded-for': '' }, '10.0.0.0/8')).toBe('10.1.1.1');
  });

  it('is not read from the header that was not agreed on', () => {
    expect(addressOf('10.0.0.1', { forwarded: 'for=192.0.2.66' }, '10.0.0.0/8')).toBe('10.0.0.1');
    const both = { 'x-forwarded-for': '192.0.2.66', forwarded: 'for=198.51.100.7;proto=https' };
    expect(addressOf('10.0.0.1', both, '10.0.0.0/8', 'forwarded')).toBe('198.51.100.7');
  });

  it.each([
    ['for="[2001:db8::1]:4711"', '2001:db8::1'],
    ['for=198.51.100.7:80;by=10.0.0.1', '198.51.100.7'],
    ['proto=http; for=192.0.2.43:80', '192.0.2.43'],
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

  it('is never one that only a stranger wrote, however many hops he makes up', () => {
    fc.assert(
      fc.property(fc.array(fc.ipV4(), { maxLength: 40 }), fc.ipV4(), (said, client) => {
        fc.pre(!client.startsWith('10.'));
        const headers = { 'x-forwarded-for': [...said, client].join(', ') };
        expect(addressOf('10.0.0.1', headers, '10.0.0.0/8')).toBe(client);
      }),
    );
  });

  it.each(['10.0.0.0/33', 'proxy.example', '::1/129', '10.0.0.0/8/8', '10.0.0.0/', '10.0.0.1,nginx'])(
    'needs networks: %s is a mistake in the settings',
    (networks) => {
      const mistakes = [{ variable: 'TRUSTED_PROXIES', expected: expect.stringContaining('such as 10.0.0.0/8') }];
      expect(settingsOf(networks)).toMatchObject({ ok: false, error: mistakes });
    },
  );
});
