import type { IncomingMessage, ServerResponse } from 'node:http';
import { problem, writeProblem } from './problem.ts';

/**
 * Bounds the time that a request may take to send its body: `timeoutMs` for all of it, or, for a mount that takes long bodies,
 * for any silence in it. (node's own limit knows no routes.)
 */
export function boundBodyTime(
  request: IncomingMessage,
  response: ServerResponse,
  timeoutMs: number,
  takesLongBodies: boolean,
): void {
  const { headers, socket } = request;
  if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0) return;
  if (takesLongBodies) {
    // node destroys a socket that is silent so long, and sets the time for the next request anew
    socket.setTimeout(timeoutMs);
    return;
  }
  const timer = setTimeout(() => {
    if (request.complete) return;
    response.once('finish', () => socket.destroySoon());
    const detail = `expected the whole request within ${timeoutMs} ms`;
    writeProblem(response, problem(408, 'request-timeout', 'Request timeout', { detail }), { connection: 'close' });
  }, timeoutMs);
  timer.unref();
  response.once('close', () => clearTimeout(timer));
}
