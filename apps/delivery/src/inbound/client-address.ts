/**
 * Whose request it is. A header that names an address is believed only from a proxy that is trusted, only the one header
 * that was agreed on, and only up to the first hop that is not trusted: what stands before it anybody can have written.
 */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { err, ok, type Result } from '@millrace/result';

export type ForwardedHeader = 'x-forwarded-for' | 'forwarded';

export interface ClientAddressOptions {
  /** Addresses and networks (`10.0.0.0/8`, `::1`), separated by commas; empty: nobody is trusted. */
  readonly trustedProxies: string;
  readonly header: ForwardedHeader;
}

/** Gives the client's address; undefined when the connection is gone. */
export type ClientAddress = (request: IncomingMessage) => string | undefined;

/** Hops that are looked at; longer lists are made up. */
const mostHops = 20;

export function createClientAddress(
  options: ClientAddressOptions,
): Result<ClientAddress, { readonly kind: 'bad-network'; readonly message: string }> {
  const trusted = new BlockList();
  const networks = options.trustedProxies.split(',').map((text) => text.trim());
  for (const network of networks.filter((text) => text !== '')) {
    if (!addNetwork(trusted, network)) {
      const message = `expected addresses or networks like 10.0.0.0/8 in DELIVERY_TRUSTED_PROXIES, got "${network.slice(0, 60)}"`;
      return err({ kind: 'bad-network', message });
    }
  }
  const isTrusted = (address: string) => trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return ok((request) => {
    const peer = plainAddress(request.socket.remoteAddress ?? '');
    if (peer === undefined || !isTrusted(peer)) return peer;
    const header = request.headers[options.header];
    const text = Array.isArray(header) ? header.join(',') : header;
    if (text === undefined) return peer;
    const hops = text.split(',').slice(-mostHops);
    let client = peer;
    for (const hop of hops.reverse()) {
      const address = plainAddress(options.header === 'forwarded' ? forwardedFor(hop) : hop.trim());
      if (address === undefined) return client; // unknown or obfuscated: what comes before it cannot be believed
      client = address;
      if (!isTrusted(address)) return client;
    }
    return client;
  });
}

function addNetwork(list: BlockList, network: string): boolean {
  const [address = '', bits, ...rest] = network.split('/');
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
