/**
 * node-media-server's RtmpSession as the command engine of one connection: it answers the handshake, connect, createStream
 * and publish. It never sees the socket, a stream key, or a byte that the guard has not checked: commands are written anew
 * from their parsed form, and audio, video and data do not come here. Only the session's own files are loaded, so neither
 * the package's servers nor its store (which writes ./data and handles signals) exist in this process.
 */
import { type AmfValue, writeAmf0 } from '@millrace/flv';
import { err, ok, type Result } from '@millrace/result';
import logger from 'node-media-server/src/core/logger.js';
import RtmpSession from 'node-media-server/src/session/rtmp_session.js';
import { encodeSingleChunk } from '../core/chunk-encoder.ts';
import type { Command } from '../core/command.ts';
import { type GuardFault, guardFault } from '../core/guard-fault.ts';
import { messageType } from '../core/rtmp-message.ts';

// The package prints to stdout; our log is structured and says the same things itself.
logger.log = () => {};

type Connect = Extract<Command, { kind: 'connect' }>;
/** User control events of 7.1.7. */
const pingRequest = 6;
const pingResponse = 7;
const commandChunkStream = 3;
const engineChunkBytes = 65_536;

export interface StatusMessage {
  readonly level: 'status' | 'error';
  /** For example `NetStream.Publish.BadName`. */
  readonly code: string;
  readonly description: string;
}

export class CommandEngine {
  readonly #session: RtmpSession;
  #streamId = 0;

  /** `output` gets what the engine says to the peer. */
  constructor(peer: { readonly address: string; readonly port: number }, output: (bytes: Uint8Array) => void) {
    const nothing = () => {};
    // Its own socket handlers are not wanted: the connection owns the socket, and a closed session has nothing to tidy
    // as long as it never reached the package's global tables, which the callbacks below see to.
    this.#session = new RtmpSession({
      remoteAddress: peer.address,
      remotePort: peer.port,
      on: nothing,
      write: output,
      end: nothing,
    });
    this.#session.run();
    const { rtmp } = this.#session;
    rtmp.onOutputCallback = output;
    rtmp.onConnectCallback = nothing;
    rtmp.onPushCallback = nothing;
    rtmp.onPlayCallback = nothing;
    rtmp.onPacketCallback = nothing;
  }

  /** C0 with C1, or C2. The engine takes 128-byte chunks until told otherwise, so the handshake's end tells it. */
  handshake(bytes: Uint8Array, last: boolean): Result<void, GuardFault> {
    const fed = this.#feed(bytes);
    if (!fed.ok || !last) return fed;
    const body = new Uint8Array(4);
    new DataView(body.buffer).setUint32(0, engineChunkBytes);
    return this.#feed(encodeSingleChunk({ chunkStreamId: 2, type: messageType.setChunkSize, streamId: 0, body }));
  }

  /** Answers connect. An encoder that asked for `fourCcList` is told that none of the Enhanced RTMP codecs is taken. */
  connect(command: Connect): Result<void, GuardFault> {
    if (command.asksFourCcs) this.#session.rtmp.respondConnect = (id) => this.#respondWithFourCcs(id);
    // Object encoding 0: whoever offers AMF3 is answered that AMF0 is spoken here.
    const { app, tcUrl } = command;
    return this.#command(0, ['connect', command.transactionId, { app, tcUrl, objectEncoding: 0 }]);
  }

  createStream(transactionId: number): Result<void, GuardFault> {
    return this.#command(0, ['createStream', transactionId, null]);
  }

  /** Answers the publish with NetStream.Publish.Start. `publicName` stands in its text: never the key. */
  startPublish(streamId: number, publicName: string): Result<void, GuardFault> {
    this.#streamId = streamId;
    return this.#command(streamId, ['publish', 0, null, publicName, 'live']);
  }

  /** Says `status` on message stream `streamId` (default: that of the publish). */
  status(status: StatusMessage, streamId = this.#streamId): void {
    this.#session.rtmp.sendStatusMessage(streamId, status.level, status.code, status.description);
  }

  /** Answers a connect that is not accepted. */
  rejectConnect(transactionId: number, description: string): void {
    const info = { level: 'error', code: 'NetConnection.Connect.Rejected', description };
    this.#session.rtmp.sendInvokeMessage(0, { cmd: '_error', transId: transactionId, cmdObj: null, info });
  }

  /** Acknowledges `bytes` received so far (modulo 2^32). */
  acknowledge(bytes: number): void {
    this.#session.rtmp.sendACK(bytes % 2 ** 32);
  }

  ping(timestamp: number): void {
    this.#session.rtmp.sendStreamStatus(pingRequest, timestamp % 2 ** 32);
  }

  pong(timestamp: number): void {
    this.#session.rtmp.sendStreamStatus(pingResponse, timestamp);
  }

  #respondWithFourCcs(transactionId: number): void {
    const { rtmp } = this.#session;
    rtmp.sendInvokeMessage(0, {
      cmd: '_result',
      transId: transactionId,
      cmdObj: { fmsVer: 'FMS/3,0,1,123', capabilities: 31, fourCcList: strictArray([]) },
      info: {
        level: 'status',
        code: 'NetConnection.Connect.Success',
        description: 'Connection succeeded.',
        objectEncoding: rtmp.objectEncoding,
        fourCcList: strictArray([]),
      },
    });
  }

  #command(streamId: number, values: readonly AmfValue[]): Result<void, GuardFault> {
    const body = writeAmf0(values);
    return this.#feed(
      encodeSingleChunk({ chunkStreamId: commandChunkStream, type: messageType.command, streamId, body }),
    );
  }

  /** The engine throws on what it does not expect; one connection ends for it, never the process. */
  #feed(bytes: Uint8Array): Result<void, GuardFault> {
    try {
      const fault = this.#session.rtmp.parserData(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      return fault === null ? ok() : err(guardFault('engine-fault', fault));
    } catch (error) {
      return err(guardFault('engine-fault', error instanceof Error ? error.message : String(error)));
    }
  }
}

/** Marks an array for the package's AMF0 writer, which otherwise writes an ECMA array. */
function strictArray(values: readonly string[]): readonly string[] {
  return Object.defineProperty([...values], 'sarray', { value: true });
}
