/**
 * Everything that a publisher's bytes must pass before anybody else sees them: handshake, chunk stream, message types and
 * lengths, command order, and media only after the publish was authorised. Bytes in, calls out; no clock and no socket.
 */
import {
  createTimestampUnwrapper,
  type FlvError,
  type MediaTag,
  parseTagBody,
  Slab,
  type TagType,
  tagHeadBytes,
} from '@millrace/flv';
import { ByteBudget } from './byte-budget.ts';
import { ChunkDecoder, type MessageSink } from './chunk-decoder.ts';
import { type Command, parseCommand } from './command.ts';
import { CommandOrder } from './command-order.ts';
import { type GuardFault, guardFault } from './guard-fault.ts';
import type { GuardLimits } from './guard-limits.ts';
import { Handshake } from './handshake.ts';
import { type BodyPlan, type MessageHead, messageType } from './rtmp-message.ts';

/** Why a message was left out without ending the connection; a bounded metric label. */ export type DropReason =
  | 'empty-media'
  | 'amf3-data'
  | 'unsupported-codec'
  | 'not-media'
  | 'malformed'
  | 'too-large';

/** What a connection does with what passed. */
export interface GuardEvents {
  /** C0 with C1, then C2. */
  handshake(bytes: Uint8Array): void;
  /** A command in its place; the guard has checked the order. */
  command(command: Command): GuardFault | undefined;
  tag(tag: MediaTag): void;
  /** A message left out; `detail` names the codec or the flaw. */
  dropped(reason: DropReason, detail: string): void;
  /** The peer wants an Acknowledgement every `bytes`. */
  windowAckSize(bytes: number): void;
  /** The peer asks for a PingResponse with its timestamp. */
  pingRequest(timestamp: number): void;
}

const skipped: BodyPlan = { headBytes: 0, payload: new Uint8Array(0), skip: true };

export class Guard implements MessageSink {
  readonly #events: GuardEvents;
  readonly #limits: GuardLimits;
  readonly #budget: ByteBudget;
  readonly #handshake: Handshake;
  readonly #decoder: ChunkDecoder;
  readonly #order: CommandOrder;
  readonly #slabs = { audio: new Slab(65_536), video: new Slab() } as const;
  readonly #clock = createTimestampUnwrapper();
  #messages = 0;

  constructor(events: GuardEvents, limits: GuardLimits, processBudget: ByteBudget) {
    this.#events = events;
    this.#limits = limits;
    this.#budget = new ByteBudget(limits.maxBufferedBytesBeforePublish, processBudget);
    this.#handshake = new Handshake((bytes) => events.handshake(bytes));
    this.#decoder = new ChunkDecoder(this, limits, this.#budget);
    this.#order = new CommandOrder(limits);
  }

  /** The handshake is over. */
  get shaken(): boolean {
    return this.#handshake.done;
  }

  /** Whole messages so far. */
  get messages(): number {
    return this.#messages;
  }

  /** The publish was authorised: media is taken from now on. */
  acceptMedia(): void {
    this.#order.authorised();
    this.#budget.limit = this.#limits.maxBufferedBytes;
  }

  /** Takes bytes from the peer. A fault ends the connection; nothing after it is looked at. */
  push(bytes: Uint8Array): GuardFault | undefined {
    if (this.#handshake.done) return this.#decoder.push(bytes);
    const next = this.#handshake.push(bytes);
    if (typeof next !== 'number') return next;
    return next < bytes.length ? this.#decoder.push(bytes, next) : undefined;
  }

  /** Gives back claimed memory. */
  close(): void {
    this.#decoder.close();
  }

  refuse(head: MessageHead): GuardFault | undefined {
    switch (head.type) {
      case messageType.audio:
      case messageType.video:
        return this.#refuseMedia(head, this.#limits.maxMediaBytes);
      case messageType.data:
      case messageType.amf3Data:
        return this.#refuseMedia(head, this.#limits.maxDataBytes);
      case messageType.command:
      case messageType.amf3Command:
        if (head.length === 0) return guardFault('bad-command', 'an empty command message');
        return head.length > this.#limits.maxCommandBytes ? tooLong(head, this.#limits.maxCommandBytes) : undefined;
      case messageType.acknowledgement:
      case messageType.windowAckSize:
        return head.length === 4 ? undefined : badControl(head, '4 bytes');
      case messageType.setPeerBandwidth:
        return head.length === 5 ? undefined : badControl(head, '5 bytes');
      case messageType.userControl:
        return head.length >= 2 && head.length <= 64 ? undefined : badControl(head, '2 to 64 bytes');
      case messageType.aggregate:
        return guardFault('unknown-message', 'aggregate messages are not taken');
      default:
        return guardFault('unknown-message', `expected a message type of a publisher, got ${head.type}`);
    }
  }

  begin(head: MessageHead): BodyPlan {
    const isMedia = head.type === messageType.audio || head.type === messageType.video;
    if (head.type === messageType.amf3Data || (head.length === 0 && (isMedia || head.type === messageType.data))) {
      this.#events.dropped(head.length === 0 ? 'empty-media' : 'amf3-data', `a message of type ${head.type}`);
      return skipped;
    }
    if (!isMedia) return { headBytes: 0, payload: new Uint8Array(head.length), skip: false };
    const kind = head.type === messageType.video ? 'video' : 'audio';
    const headBytes = Math.min(tagHeadBytes[kind], head.length);
    return { headBytes, payload: this.#slabs[kind].take(head.length - headBytes), skip: false };
  }

  complete(message: MessageHead, head: Uint8Array, payload: Uint8Array): GuardFault | undefined {
    this.#messages++;
    switch (message.type) {
      case messageType.audio:
      case messageType.video:
      case messageType.data:
        return this.#media(message, head, payload);
      case messageType.amf3Command:
        // An AMF3 command message is AMF0 behind a zero byte as long as nothing in it switches to AMF3.
        return payload[0] === 0
          ? this.#command(payload.subarray(1), message.streamId)
          : guardFault('bad-command', `expected AMF0 in an AMF3 command, got format ${payload[0]}`);
      case messageType.command:
        return this.#command(payload, message.streamId);
      case messageType.windowAckSize:
        this.#events.windowAckSize(uint(payload, 0, 4));
        return undefined;
      case messageType.userControl:
        if (uint(payload, 0, 2) === 6 && payload.length >= 6) this.#events.pingRequest(uint(payload, 2, 4));
        return undefined;
      default:
        return undefined;
    }
  }

  #refuseMedia(head: MessageHead, longest: number): GuardFault | undefined {
    if (!this.#order.mediaAllowed) {
      return guardFault('media-before-publish', `a message of type ${head.type} before the publish was authorised`);
    }
    return head.length > longest ? tooLong(head, longest) : undefined;
  }

  #media(message: MessageHead, head: Uint8Array, payload: Uint8Array): undefined {
    const timestampMs = this.#clock.unwrap(message.timestamp);
    const tag = parseTagBody(message.type as TagType, timestampMs, head, payload);
    if (tag.ok) this.#events.tag(tag.value);
    else this.#events.dropped(dropReasonOf(tag.error), tag.error.message);
  }

  #command(body: Uint8Array, streamId: number): GuardFault | undefined {
    const command = parseCommand(body, streamId, this.#limits);
    if (!command.ok) return command.error;
    return this.#order.take(command.value) ?? this.#events.command(command.value);
  }
}

function dropReasonOf(error: FlvError): DropReason {
  return error.kind;
}

function tooLong(head: MessageHead, longest: number): GuardFault {
  return guardFault(
    'message-length',
    `a message of type ${head.type} of ${head.length} bytes, at most ${longest} are taken`,
  );
}

function badControl(head: MessageHead, expected: string): GuardFault {
  return guardFault('bad-control', `expected ${expected} in a message of type ${head.type}, got ${head.length}`);
}

function uint(bytes: Uint8Array, at: number, count: 2 | 4): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return count === 2 ? view.getUint16(at) : view.getUint32(at);
}
