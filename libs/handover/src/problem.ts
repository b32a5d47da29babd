import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** An RFC 9457 problem as its JSON text. */
export function problemText(status: number, title: string, detail: string): string {
  return JSON.stringify({ type: 'about:blank', title, status, detail });
}

/** Answers with a problem and closes the connection, since part of a body may still be unread. */
export function sendProblem(response: ServerResponse, status: number, title: string, detail: string): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  response
    .writeHead(status, { 'content-type': 'application/problem+json', 'cache-control': 'no-store', connection: 'close' })
    .end(problemText(status, title, detail));
}

/** Answers an Upgrade request that is not granted. */
export function refuseUpgrade(socket: Duplex, status: number, title: string, detail: string): void {
  const body = problemText(status, title, detail);
  socket.on('error', () => {}); // the other side may be gone already: nobody is left to tell
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nConnection: close\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
