import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** Above the ports that browsers refuse to open (the fetch standard's "bad ports"). */
const first = 10_240;
/** Tries until there is nothing to be had. */
const mostTries = 200;
const given = new Set<number>();

/**
 * A TCP port for a server that is started a while later, and perhaps again. It lies below the ports that the system gives to
 * outgoing connections: one of those may be taken in the meantime, and the server could not listen. Never the same twice.
 */
export async function freePort(): Promise<number> {
  const end = outgoingFrom();
  for (let tries = 0; tries < mostTries; tries++) {
    const port = first + Math.floor(Math.random() * (end - first));
    if (given.has(port) || !(await canListen(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no TCP port is free from ${first} to ${end - 1}`);
}

/** Where the ports of outgoing connections begin; by IANA where the system does not say. */
export function outgoingFrom(): number {
  let range = '';
  try {
    range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  } catch {
    // not Linux
  }
  const lowest = Number.parseInt(range, 10);
  return lowest > 2 * first ? lowest : 49_152;
}

/** On every address, as the servers do. */
async function canListen(port: number): Promise<boolean> {
  const server = createServer();
  const listening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, () => resolve(true));
  });
  if (listening) await new Promise((resolve) => server.close(resolve));
  return listening;
}
