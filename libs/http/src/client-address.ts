/**
 * The address of who asks, behind proxies of ours. Every hop of `X-Forwarded-For` (or `Forwarded`, RFC 7239) was written by the
 * hop after it, so the list is read from its end and only as far as the writers are known: what stands before them is hearsay.
 */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { err, ok, type Result } from '@millrace/result';

export type ClientAddress = (request: Pick<IncomingMessage, 'headers' | 'socket'>) => string;

/** Longest list of hops that is looked at; who sends more is not behind our proxies. */
const mostHops = 16;

/**
 * How to find a client's address when the proxies in `trusted` (addresses or CIDR ranges) are believed. IPv4 in IPv6 is given as
 * IPv4; an address that cannot be read ends the walk at the last one that could. The error is a text for the operator.
 */
export function clientAddressBehind(trusted: readonly string[]): Result<ClientAddress, string> {
  const proxies = new BlockList();
  for (const range of trusted) {
    const [address = '', bits, ...rest] = range.split('/');
    const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined;
    const widest = family === 'ipv4' ? 32 : 128;
    const badBits = bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= widest);
    if (family === undefined || badBits || rest.length > 0) {
      return err(`expected addresses or CIDR ranges of proxies, such as 10.0.0.0/8, got "${range}"`);
    }
    if (bits === undefined) proxies.addAddress(address, family);
    else proxies.addSubnet(address, Number(bits), family);
  }
  const isProxy = (address: string) =>
    isIPv4(address) ? proxies.check(address, 'ipv4') : isIPv6(address) && proxies.check(address, 'ipv6');
  return ok((request) => {
    let address = plain(request.socket.remoteAddress ?? '');
    if (trusted.length === 0 || !isProxy(address)) return address;
    const hops = hopsOf(request.headers);
    for (let index = hops.length - 1; index >= 0 && hops.length - index <= mostHops; index--) {
      const hop = plain(hops[index] ?? '');
      if (!isIPv4(hop) && !isIPv6(hop)) return address;
      address = hop;
      if (!isProxy(address)) return address;
    }
    return address;
  });
}

/** Who each hop says it answered, the nearest last. `X-Forwarded-For` goes before `Forwarded`: ours write that. */
function hopsOf(headers: IncomingMessage['headers']): readonly string[] {
  const listed = headers['x-forwarded-for'];
  if (listed !== undefined) return String(listed).split(',').map(bare);
  const forwarded = headers.forwarded;
  if (forwarded === undefined) return [];
  return forwarded.split(',').map((element) => {
    const named = /(?:^|;)\s*for\s*=\s*("[^"]*"|[^;\s]*)/i.exec(element)?.[1] ?? '';
    return bare(named.replaceAll('"', ''));
  });
}

/** A node name without its port and brackets. */
function bare(node: string): string {
  const text = node.trim();
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1];
  if (bracketed !== undefined) return bracketed;
  return /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
}

function plain(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}
