/**
 * Where a connection's bytes come from. Node gives each read of an accepted socket 64 KiB of memory of its own and counts it
 * as such, which with 30 publishers is a full garbage collection every half second. `sharedSource` takes an accepted socket
 * over into one that reads into a single buffer of the process, as `onread` does for sockets that connect out.
 */
import { Socket, type SocketConstructorOpts } from 'node:net';

export interface ByteSource {
  readonly socket: Socket;
  /** Calls `listener` with bytes that are only valid during the call. */
  onBytes(listener: (bytes: Uint8Array) => void): void;
}

/** What Node's Socket takes beside its documented options; the same since Node 12. */
interface TakeoverOptions extends SocketConstructorOpts {
  readonly handle: object;
  readonly manualStart: boolean;
  readonly onread: {
    readonly buffer: Uint8Array;
    readonly callback: (bytes: number, buffer: Uint8Array) => boolean;
  };
}

const readBuffer = new Uint8Array(65_536);

/** A socket as it is: TLS, and where a takeover is not possible. */
export function plainSource(socket: Socket): ByteSource {
  return {
    socket,
    onBytes(listener) {
      socket.on('data', listener);
      socket.resume();
    },
  };
}

/** Takes over `socket`, which must have been accepted with `pauseOnConnect`. The given object is closed and not used again. */
export function sharedSource(socket: Socket): ByteSource {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null || !('useUserBuffer' in handle)) return plainSource(socket);
  Reflect.set(socket, '_handle', null); // so that closing it leaves the connection open
  socket.on('error', () => {});
  socket.destroy();
  let listener: (bytes: Uint8Array) => void = () => {};
  const options: TakeoverOptions = {
    handle,
    // Not started here: the first read would come before anybody listens.
    manualStart: true,
    onread: {
      buffer: readBuffer,
      callback: (bytes, buffer) => {
        listener(buffer.subarray(0, bytes));
        return true;
      },
    },
  };
  const own = new Socket(options);
  return {
    socket: own,
    onBytes(given) {
      listener = given;
      own.resume();
      own.read(0);
    },
  };
}
