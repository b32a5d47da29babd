/** A small RTMP client that can say what no encoder says. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type AmfValue, readAmf0, writeAmf0 } from '@millrace/flv';
import { ByteBudget } from '../src/core/byte-budget.ts';
import { ChunkDecoder } from '../src/core/chunk-decoder.ts';
import { eventually } from './harness.ts';

export interface ServerMessage {
  readonly type: number;
  readonly streamId: number;
  readonly body: Uint8Array;
}

/** One message in one type 0 chunk, or in several of `chunkBytes`. */
export function message(
  type: number,
  body: Uint8Array,
  given: {
    readonly timestamp?: number;
    readonly streamId?: number;
    readonly csid?: number;
    readonly chunkBytes?: number;
  } = {},
): Buffer {
  const { timestamp = 0, streamId = 0, csid = 3, chunkBytes = 128 } = given;
  const head = Buffer.alloc(12);
  head[0] = csid;
  head.writeUIntBE(Math.min(timestamp, 0xffffff), 1, 3);
  head.writeUIntBE(body.length, 4, 3);
  head[7] = type;
  head.writeUInt32LE(streamId, 8);
  const extended =
    timestamp >= 0xffffff
      ? Buffer.from([timestamp >>> 24, timestamp >>> 16, timestamp >>> 8, timestamp])
      : Buffer.alloc(0);
  const parts: Buffer[] = [head, extended];
  for (let at = 0; at < body.length || at === 0; at += chunkBytes) {
    if (at > 0) parts.push(Buffer.from([0xc0 | csid]), extended);
    parts.push(Buffer.from(body.subarray(at, at + chunkBytes)));
  }
  return Buffer.concat(parts);
}

export const command = (values: readonly AmfValue[], streamId = 0) => message(20, writeAmf0(values), { streamId });
export const setChunkSize = (bytes: number) =>
  message(1, Buffer.from([bytes >>> 24, bytes >>> 16, bytes >>> 8, bytes]), { csid: 2 });
export const connectCommand = (change: Record<string, AmfValue> = {}) =>
  command(['connect', 1, { app: 'live', tcUrl: 'rtmp://127.0.0.1/live', flashVer: 'Test/1', ...change }]);
export const publishCommand = (key: string, streamId = 1) => command(['publish', 5, null, key, 'live'], streamId);
/** An AVC keyframe body with `bytes` of payload. */
export const keyframe = (bytes = 64) => Buffer.concat([Buffer.from([0x17, 1, 0, 0, 0]), Buffer.alloc(bytes, 7)]);

export class RtmpClient implements Disposable {
  readonly socket: Socket;
  readonly messages: ServerMessage[] = [];
  closed = false;
  #handshakeLeft = 3_073;

  constructor(socket: Socket) {
    this.socket = socket;
    const decoder = new ChunkDecoder(
      {
        refuse: () => undefined,
        begin: (head) => ({ headBytes: 0, payload: new Uint8Array(head.length), skip: false }),
        complete: ({ type, streamId }, _head, body) => void this.messages.push({ type, streamId, body }),
      },
      { minChunkBytes: 1, maxChunkBytes: 10_000_000, maxChunkStreams: 100 },
      new ByteBudget(100_000_000),
    );
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('data', (bytes: Buffer) => {
      const skip = Math.min(this.#handshakeLeft, bytes.length);
      this.#handshakeLeft -= skip;
      if (skip < bytes.length) decoder.push(bytes, skip);
    });
  }

  static async open(port: number): Promise<RtmpClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const client = new RtmpClient(socket);
    await once(socket, 'connect');
    return client;
  }

  /** Connected, shaken, and answered up to createStream. */
  static async ready(port: number): Promise<RtmpClient> {
    const client = await RtmpClient.open(port);
    client.raw(Buffer.concat([handshakeBytes(), connectCommand(), command(['createStream', 2, null])]));
    await eventually(() => client.results.length >= 2, 'answers to connect and createStream');
    return client;
  }

  /** Publishing: the key was accepted. */
  static async publishing(port: number, key: string): Promise<RtmpClient> {
    const client = await RtmpClient.ready(port);
    client.raw(publishCommand(key));
    await eventually(() => client.statuses.length > 0, 'a status');
    return client;
  }

  raw(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Command messages of the server as AMF values. */
  get commands(): readonly (readonly AmfValue[])[] {
    return this.messages
      .filter((m) => m.type === 20)
      .map((m) => {
        const values = readAmf0(m.body);
        return values.ok ? values.value : [];
      });
  }

  get results(): readonly (readonly AmfValue[])[] {
    return this.commands.filter((values) => values[0] === '_result');
  }

  /** Codes of onStatus and _error. */
  get statuses(): readonly string[] {
    return this.commands
      .filter((values) => values[0] === 'onStatus' || values[0] === '_error')
      .map((values) => String((values[3] as { code?: string }).code));
  }

  async untilClosed(withinMs = 4_000): Promise<void> {
    await eventually(() => this.closed, 'the server closes the connection', withinMs);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** C0, C1 and C2 of a simple handshake. */
export function handshakeBytes(): Buffer {
  return Buffer.concat([Buffer.from([3]), Buffer.alloc(1_536, 1), Buffer.alloc(1_536, 2)]);
}
