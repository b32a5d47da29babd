/**
 * Where a URL of the API is for this page. Only its path counts: the API names the public origin, while the page may have been
 * opened under another name of the same front (127.0.0.1, an address in the LAN), and its content security policy allows media
 * and pictures of its own origin only.
 */
export function ownAddress(url: string): string {
  const { pathname, search } = new URL(url, location.href);
  return `${pathname}${search}`;
}
