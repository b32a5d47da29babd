import { Socket } from 'node:net';

/**
 * A socket that sends what is written in one go together, and whose failure reaches postgres.js in one step. On `error` 3.4.9 rejects what is on its way, and what is sent
 * from then until `close` it keeps for ever: it is never answered, and after the re-connect every answer on that
 * connection goes to the query before it. An established connection therefore only closes; then all is rejected at once.
 *
 * postgres.js writes each longer query by itself. Queries that are sent together, as those of works that share a transaction are, so
 * cost a call of the system and a wake-up of the server each.
 */
export class SteadySocket extends Socket {
  /** The server has answered: from now on an error is told by closing. Before that it fails the connection attempt. */
  #established = false;
  #gathers = false;

  override write(...args: unknown[]): boolean {
    if (!this.#gathers) {
      this.#gathers = true;
      this.cork();
      process.nextTick(() => {
        this.#gathers = false;
        this.uncork();
      });
    }
    return super.write(...(args as Parameters<Socket['write']>));
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event === 'data') this.#established = true;
    if (event === 'error' && this.#established) return true;
    if (event === 'close' && this.#established) return super.emit('close', false);
    return super.emit(event, ...args);
  }
}

/** Where postgres.js wants to connect, as its parsed options have it. */
export interface SocketTarget {
  readonly path: string | false;
  readonly host: readonly string[];
  readonly port: readonly number[];
}

/** A socket on its way to the server; what is written before it is connected waits. */
export function openSteadySocket(target: SocketTarget): SteadySocket {
  const socket = new SteadySocket();
  if (target.path) socket.connect(target.path);
  else socket.connect(target.port[0] ?? 5432, target.host[0] ?? 'localhost');
  return socket;
}
