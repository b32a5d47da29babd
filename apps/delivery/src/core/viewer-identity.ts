import type { ViewerProfile } from './viewer-session.ts';

/** Makes of an address and a User-Agent what may be kept of them. */
export interface ViewerIdentity {
  /** `addressKey` stands for the address in limits: it means nothing outside this process. */
  identify(
    address: string,
    userAgent: string | undefined,
  ): { readonly addressKey: string; readonly profile: ViewerProfile };
}

/** What limits apply to: an IPv4 address, or the /64 that one customer has of IPv6. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? 0 : tail.split(':').length;
    while (groups.length < 4 && groups.length + after < 8) groups.push('0');
    groups.push(...tail.split(':').filter((group) => group !== ''));
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
