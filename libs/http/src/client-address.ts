/**
 * Whose request it is. A header that names an address is believed only from a proxy that is trusted, only the one header
 * that was agreed on, and only up to the first hop that is not trusted: what stands before it anybody can have written.
 */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { err, ok, type Result } from '@millrace/result';
import type { ProxySettings } from './proxy-settings.ts';

/** Gives the client's address, IPv4 in IPv6 as IPv4; undefined when the connection is gone. */
export type ClientAddress = (request: Pick<IncomingMessage, 'headers' | 'socket'>) => string | undefined;

/** Proxies whose word on an address is believed. */
export interface TrustedProxies {
  /** Whether an address, without port and brackets, is one of theirs. */
  has(address: string): boolean;
}

/** Addresses whose trust is remembered; a BlockList makes an object of each that it is asked about. */
const mostRemembered = 10_000;
/** Hops that are looked at; longer lists are made up. */
const mostHops = 20;

/** How to find a client's address behind the proxies that were agreed on. */
export function createClientAddress(settings: ProxySettings): ClientAddress {
  const { TRUSTED_PROXIES: trusted, FORWARDED_HEADER: header } = settings;
  const nodeOf = header === 'forwarded' ? forwardedFor : (hop: string) => hop.trim();
  return ({ headers, socket }) => {
    const peer = plainAddress(socket.remoteAddress ?? '');
    if (peer === undefined || !trusted.has(peer)) return peer;
    const said = headers[header];
    const text = Array.isArray(said) ? said.join(',') : said;
    if (text === undefined) return peer;
    let client = peer;
    for (const hop of text.split(',').slice(-mostHops).reverse()) {
      const address = plainAddress(nodeOf(hop));
      if (address === undefined) return client; // unknown or obfuscated: what comes before it cannot be believed
      client = address;
      if (!trusted.has(address)) return client;
    }
    return client;
  };
}

/** Reads addresses and networks (`10.0.0.0/8`, `::1`); none: nobody is trusted. The error is what was expected. */
export function parseTrustedProxies(ranges: readonly string[]): Result<TrustedProxies, string> {
  const list = new BlockList();
  for (const range of ranges) {
    if (!addRange(list, range)) {
      return err(`addresses or networks of proxies, such as 10.0.0.0/8; "${range.slice(0, 60)}" is neither`);
    }
  }
  if (ranges.length === 0) return ok({ has: () => false });
  const known = new Map<string, boolean>();
  const has = (address: string) => {
    const before = known.get(address);
    if (before !== undefined) return before;
    if (known.size >= mostRemembered) known.clear();
    const trusted = list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
    known.set(address, trusted);
    return trusted;
  };
  return ok({ has });
}

function addRange(list: BlockList, range: string): boolean {
  const [address = '', bits, ...rest] = range.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  const family = version === 6 ? 'ipv6' : 'ipv4';
  if (bits === undefined) {
    list.addAddress(address, family);
    return true;
  }
  const most = version === 6 ? 128 : 32;
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > most) return false;
  list.addSubnet(address, Number(bits), family);
  return true;
}

/** `for=` of one element of Forwarded (RFC 7239). */
function forwardedFor(element: string): string {
  const pair = element.split(';').find((text) => /^\s*for=/i.test(text));
  return (pair ?? '')
    .replace(/^\s*for=/i, '')
    .trim()
    .replace(/^"(.*)"$/, '$1');
}

/** An address without port, brackets, zone and IPv4-in-IPv6 dress; undefined when it is none. */
function plainAddress(text: string): string | undefined {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1];
  const ported = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1];
  const bare = (bracketed ?? ported ?? text).replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? bare;
  return isIP(mapped) === 0 ? undefined : mapped;
}
