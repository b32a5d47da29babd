/**
 * Which addresses are places of the world, and which are ours: loopback, private and link-local networks, the metadata services of
 * clouds. URLs that users give may lead to the first only (IANA's special-purpose registries, RFC 6890 and its updates).
 */
import { BlockList, isIP } from 'node:net';
import { err, ok, type Result } from '@millrace/result';

const special4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
/** Of the global unicast addresses, 2000::/3; what is outside of it is nobody's or special. */
const special6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  // An IPv4 address inside: it could be any of the above.
  ['2002::', 16],
  ['3fff::', 20],
];

const closed4 = new BlockList();
for (const [net, prefix] of special4) closed4.addSubnet(net, prefix, 'ipv4');
const open6 = new BlockList();
open6.addSubnet('2000::', 3, 'ipv6');
const closed6 = new BlockList();
for (const [net, prefix] of special6) closed6.addSubnet(net, prefix, 'ipv6');

/** Networks beyond the public ones that may be reached. */
export type AllowedNetworks = Pick<BlockList, 'check'>;

/** Parses `10.1.0.0/16`, `fd00::/8` or a single address. The error names the entry. */
export function parseNetworks(
  entries: readonly string[],
): Result<AllowedNetworks, { readonly kind: 'bad-network'; readonly message: string }> {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const version = isIP(address);
    const most = version === 4 ? 32 : 128;
    const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
    if (version === 0 || !(prefix <= most)) {
      return err({ kind: 'bad-network', message: `expected a network such as 10.1.0.0/16, got "${entry}"` });
    }
    list.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6');
  }
  return ok(list);
}

/** Whether `address` is a place of the world, or in an allowed network. What is no address is neither. */
export function mayReach(address: string, allowed: AllowedNetworks): boolean {
  switch (isIP(address)) {
    case 4:
      return !closed4.check(address, 'ipv4') || allowed.check(address, 'ipv4');
    case 6:
      return (open6.check(address, 'ipv6') && !closed6.check(address, 'ipv6')) || allowed.check(address, 'ipv6');
    default:
      return false;
  }
}
