/**
 * Child process of the bench of joins: viewers with connections of their own, as little work each as can be. Asked on standard
 * input, one JSON a line; answered on standard output the same way.
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { percentile } from '../origin-process.ts';

export interface JoinOrder {
  readonly port: number;
  /** The first request of each viewer; `{session}` of its answer stands in the second, if there is one. */
  readonly first: string;
  readonly second: 'media-playlist' | 'same';
  readonly count: number;
  /** Viewers a second; 0: as fast as `atOnce` connections let them. */
  readonly perSecond: number;
  readonly atOnce: number;
  /** Number of the first: each has an address and a player of his own. */
  readonly from: number;
}

export interface JoinReport {
  readonly joined: number;
  readonly failures: number;
  readonly seconds: number;
  /** From the request to its whole answer, ms; connecting is not in it. */
  readonly firstP50: number;
  readonly firstP99: number;
  readonly secondP50: number;
  readonly secondP99: number;
  readonly bytes: number;
}

const noBytes = Buffer.alloc(0);

/** One viewer: two requests on one connection. Resolves with how long each took, ms; rejects when one is not answered 200. */
function join(order: JoinOrder, number: number): Promise<{ first: number; second: number; bytes: number }> {
  return new Promise((resolve, reject) => {
    const socket = connect(order.port, '127.0.0.1');
    socket.setNoDelay(true);
    const address = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
    const ask = (path: string) =>
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: ${address}\r\nUser-Agent: bench/${number % 50}\r\n\r\n`,
      );
    let received: Buffer = noBytes;
    let [sentMs, first, bytes] = [0, -1, 0];
    socket.once('connect', () => {
      sentMs = performance.now();
      ask(order.first);
    });
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('closed before the answer')));
    socket.on('data', (data: Buffer) => {
      received = received.length === 0 ? data : Buffer.concat([received, data]);
      const headEnd = received.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const head = received.toString('latin1', 0, headEnd);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN);
      if (!head.startsWith('HTTP/1.1 200') || Number.isNaN(length)) {
        return void socket.destroy(new Error(head.split('\r\n')[0] ?? ''));
      }
      if (received.length < headEnd + 4 + length) return;
      const tookMs = performance.now() - sentMs;
      const body = received.toString('latin1', headEnd + 4);
      received = noBytes;
      bytes += length;
      if (first >= 0) {
        resolve({ first, second: tookMs, bytes });
        return void socket.destroy();
      }
      first = tookMs;
      const found = order.second === 'same' ? undefined : /^s\/\S+/m.exec(body)?.[0];
      if (order.second === 'media-playlist' && found === undefined) return void socket.destroy(new Error('no session'));
      sentMs = performance.now();
      ask(found === undefined ? order.first : order.first.replace(/[^/]+$/, found));
    });
  });
}

async function carryOut(order: JoinOrder): Promise<JoinReport> {
  const [firsts, seconds]: [number[], number[]] = [[], []];
  let [failures, bytes, next] = [0, 0, 0];
  const startedMs = performance.now();
  const one = async (number: number) => {
    try {
      const took = await join(order, order.from + number);
      firsts.push(took.first);
      seconds.push(took.second);
      bytes += took.bytes;
    } catch (error) {
      if (failures++ === 0) process.stderr.write(`join ${number}: ${String(error)}\n`);
    }
  };
  if (order.perSecond === 0) {
    const worker = async () => {
      while (next < order.count) await one(next++);
    };
    await Promise.all(Array.from({ length: order.atOnce }, worker));
  } else {
    // Open loop: a slow answer holds up nobody who comes after it.
    const all: Promise<void>[] = [];
    while (next < order.count) {
      const due = Math.min(order.count, Math.floor(((performance.now() - startedMs) / 1_000) * order.perSecond));
      while (next < due) all.push(one(next++));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await Promise.all(all);
  }
  return {
    ...{ joined: firsts.length, failures, seconds: (performance.now() - startedMs) / 1_000, bytes },
    ...{ firstP50: percentile(firsts, 0.5), firstP99: percentile(firsts, 0.99) },
    ...{ secondP50: percentile(seconds, 0.5), secondP99: percentile(seconds, 0.99) },
  };
}

if (process.argv[1] === import.meta.filename) {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await carryOut(JSON.parse(line) as JoinOrder))}\n`);
  }
}
