/** Child process of the fan-out bench: opens sockets with as little work of its own as can be, and measures what arrives. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** Asked on standard input, one JSON a line; answered on standard output the same way. */
type Order =
  | { readonly do: 'open'; readonly port: number; readonly count: number; readonly hello: boolean }
  | { readonly do: 'count' }
  | { readonly do: 'report' };

const subscribe = maskedText(JSON.stringify({ op: 'subscribe', channel: 'streams' }));
const marker = Buffer.from('sent_at=');
/** With the time, ms in 13 digits. */
const markBytes = marker.length + 13;
const noBytes: Buffer = Buffer.alloc(0);
const sockets: Socket[] = [];
let delays: number[] = [];
let frames = 0;
/** Sockets that the server let go. */
let closed = 0;

/** A client frame with a mask of zeros: the bytes stay as they are (RFC 6455 5.3 allows any mask). */
function maskedText(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

function openOne(port: number, speaks: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    let ready = false;
    socket.on('error', reject);
    let rest = noBytes;
    socket.on('close', () => {
      closed++;
      if (!ready) reject(new Error('closed before it was ready'));
    });
    socket.on('data', (data: Buffer) => {
      if (ready) {
        rest = note(rest.length === 0 ? data : Buffer.concat([rest, data]));
        return;
      }
      if (!speaks || data.includes('"op":"snapshot"')) {
        ready = true;
        resolve();
      }
    });
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    if (speaks) socket.write(subscribe);
  });
}

/** Counts the marks; returns the end of the data in which one may have begun. */
function note(data: Buffer): Buffer {
  const now = Date.now();
  let end = Math.max(0, data.length - markBytes + 1);
  for (let at = data.indexOf(marker); at >= 0; at = data.indexOf(marker, at + 1)) {
    if (at + markBytes > data.length) break;
    end = Math.max(end, at + markBytes);
    frames++;
    delays.push(now - Number(data.toString('latin1', at + marker.length, at + markBytes)));
  }
  return data.length === end ? noBytes : Buffer.from(data.subarray(end));
}

async function carryOut(order: Order): Promise<object> {
  if (order.do === 'count') return { frames };
  if (order.do === 'report') {
    const sorted = delays.sort((a, b) => a - b);
    delays = [];
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    const report = { frames, closed, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
    frames = 0;
    return report;
  }
  for (const socket of sockets.splice(0)) socket.removeAllListeners('close').destroy();
  for (let opened = 0; opened < order.count; opened += 200) {
    const some = Math.min(200, order.count - opened);
    await Promise.all(Array.from({ length: some }, () => openOne(order.port, order.hello)));
  }
  return { opened: order.count };
}

let rest = '';
process.stdin.on('data', (data: Buffer) => {
  rest += data.toString();
  for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
    const order = JSON.parse(rest.slice(0, end)) as Order;
    rest = rest.slice(end + 1);
    carryOut(order).then(
      (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`),
      (error: unknown) => process.stdout.write(`${JSON.stringify({ error: String(error) })}\n`),
    );
  }
});
process.stdin.on('end', () => process.exit(0));
