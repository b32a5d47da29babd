import type { Duplex } from 'node:stream';
import { Sender, type WebSocket } from 'ws';
import type { CloseCause, Outlet } from '../core/outlet.ts';
import type { SharedMessage } from '../core/shared-message.ts';

/** Frames a text message as servers do: whole, not masked, not compressed (RFC 6455 5.2). */
function textFrame(json: string): Uint8Array {
  const options = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true };
  return Buffer.concat(Sender.frame(Buffer.from(json), options));
}

const codes: Readonly<Record<CloseCause, readonly [code: number, reason: string]>> = {
  slow: [1013, 'messages piled up: try again later'],
  flood: [1008, 'too many requests'],
  silent: [1001, 'no sign of life'],
  draining: [1012, 'this instance stops'],
  'not-text': [1003, 'expected text frames'],
};

/**
 * A WebSocket that frames made for many are written to as they are. `ws` itself only sends pongs and the closing frame, each whole
 * and at once (no extension is negotiated), so its frames and ours cannot mix.
 */
export class WebSocketOutlet implements Outlet {
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  readonly #onClose: (cause: CloseCause) => void;
  #closing = false;

  constructor(ws: WebSocket, socket: Duplex, onClose: (cause: CloseCause) => void) {
    this.#ws = ws;
    this.#socket = socket;
    this.#onClose = onClose;
  }

  get isOpen(): boolean {
    return !this.#closing && this.#ws.readyState === this.#ws.OPEN;
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  write(messages: readonly SharedMessage[]): number {
    let bytes = 0;
    if (messages.length > 1) this.#socket.cork();
    for (const message of messages) {
      const frame = message.encoded(textFrame);
      this.#socket.write(frame);
      bytes += frame.length;
    }
    if (messages.length > 1) this.#socket.uncork();
    return bytes;
  }

  ping(): void {
    if (this.isOpen) this.#ws.ping();
  }

  close(cause: CloseCause): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#onClose(cause);
    const [code, reason] = codes[cause];
    // Nobody is there to answer a closing handshake, or the bytes before it would not get through.
    if (cause === 'silent') return this.#ws.terminate();
    this.#ws.close(code, reason);
  }

  terminate(): void {
    this.#closing = true;
    this.#ws.terminate();
  }
}
