/** One encoder: its bytes go through the guard, its commands to the engine, its media to the broadcast it was granted. */
import type { Clock } from '@millrace/clock';
import type { StreamEndReason } from '@millrace/events';
import type { MediaTag } from '@millrace/flv';
import type { Logger } from '@millrace/log';
import { assertNever, type Result } from '@millrace/result';
import type { BroadcastRegister, PublishHandle } from '../core/broadcast-register.ts';
import type { ByteBudget } from '../core/byte-budget.ts';
import type { Command } from '../core/command.ts';
import { type DeadlineLimits, Deadlines } from '../core/deadlines.ts';
import { type DropReason, Guard, type GuardEvents } from '../core/guard.ts';
import { type GuardFault, guardFault } from '../core/guard-fault.ts';
import type { GuardLimits } from '../core/guard-limits.ts';
import type { Publisher, PublishRefusal } from '../core/ports.ts';
import type { Broadcast } from '../core/publish-state.ts';
import type { IngestMetrics } from '../metrics.ts';
import { AckCounter } from './ack-counter.ts';
import type { ByteSource } from './byte-source.ts';
import { CommandEngine } from './command-engine.ts';
import type { KeyCheck } from './key-check.ts';
import type { ReadCoalescer } from './read-coalescer.ts';
import { endStatus, refusalStatus } from './refusal-status.ts';
import { SocketFlow } from './socket-flow.ts';

export interface ConnectionDeps {
  readonly guardLimits: GuardLimits;
  readonly deadlines: DeadlineLimits;
  readonly budget: ByteBudget;
  readonly checkKey: KeyCheck;
  readonly register: BroadcastRegister;
  readonly coalescer: ReadCoalescer;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: IngestMetrics;
  /** The application name in the publish URL. */
  readonly app: string;
}

/** Faults whose reason the encoder is told before the connection closes. */
const told: ReadonlySet<string> = new Set(['playback', 'bad-app', 'second-publish', 'idle-timeout']);

export class RtmpConnection implements Publisher, GuardEvents {
  readonly #deps: ConnectionDeps;
  readonly #log: Logger;
  readonly #flow: SocketFlow;
  readonly #guard: Guard;
  readonly #engine: CommandEngine;
  readonly #deadlines: Deadlines;
  readonly #acks: AckCounter;
  readonly #abort = new AbortController();
  #blocks = 0;
  #publishStreamId = 0;
  #encoder: string | undefined;
  #handle: PublishHandle | undefined;
  #over = false;

  /** `onClosed` is called once, when the socket is gone. */
  constructor(source: ByteSource, address: string, deps: ConnectionDeps, onClosed: () => void) {
    this.#deps = deps;
    this.#log = deps.log.with({ address });
    this.#flow = new SocketFlow(source, deps.clock, deps.coalescer, {
      data: (bytes) => this.#read(bytes),
      stuffed: () => this.#end(guardFault('peer-not-reading', 'the peer does not read what it is told')),
      closed: () => {
        this.#leave((handle) => handle.lost('closed'));
        onClosed();
      },
    });
    this.#engine = new CommandEngine({ address, port: source.socket.remotePort ?? 0 }, (bytes) =>
      this.#flow.write(bytes),
    );
    this.#guard = new Guard(this, deps.guardLimits, deps.budget);
    this.#deadlines = new Deadlines(deps.deadlines, deps.clock.monotonicMs());
    this.#acks = new AckCounter((bytes) => this.#engine.acknowledge(bytes));
  }

  /** Looks at the deadlines; the server calls it about twice a second. */
  tick(nowMs: number): void {
    if (this.#over) return;
    const passed = this.#deadlines.passed(nowMs, this.#guard.shaken);
    if (passed !== undefined) return this.#end(passed);
    if (this.#deadlines.pingDue(nowMs)) this.#engine.ping(Math.trunc(nowMs));
  }

  /** Closes without a word, at the end of a drain. */
  destroy(): void {
    this.#flow.destroy();
  }

  /** Tells an encoder that has not published yet that the server is stopping; one that has was told by its broadcast. */
  drain(): void {
    if (!this.#over) this.refuse('draining');
  }

  start(broadcast: Broadcast): void {
    const { clock, metrics } = this.#deps;
    this.#guard.acceptMedia();
    this.#deadlines.publishing(clock.monotonicMs());
    metrics.publishes.inc();
    this.#log.info('publish-started', { stream_id: broadcast.streamId, publish_id: broadcast.publishId });
    this.#must(this.#engine.startPublish(this.#publishStreamId, broadcast.streamId));
  }

  refuse(refusal: PublishRefusal): void {
    this.#deps.metrics.publishesRefused.inc({ reason: refusal });
    this.#log.info('publish-refused', { reason: refusal });
    this.#engine.status(refusalStatus(refusal), this.#publishStreamId);
    this.#close();
  }

  disconnect(reason: StreamEndReason | 'taken-over'): void {
    this.#log.info('publisher-disconnected', { reason });
    this.#engine.status(endStatus(reason));
    this.#close();
  }

  pause(): void {
    if (this.#flow.paused) return;
    this.#deps.metrics.pauses.inc();
    this.#deadlines.paused(true, this.#deps.clock.monotonicMs());
    this.#flow.pause();
  }

  resume(): void {
    if (!this.#flow.paused) return;
    this.#deadlines.paused(false, this.#deps.clock.monotonicMs());
    this.#flow.resume();
  }

  handshake(bytes: Uint8Array): void {
    this.#must(this.#engine.handshake(bytes, ++this.#blocks === 2));
  }

  command(command: Command): GuardFault | undefined {
    switch (command.kind) {
      case 'connect':
        if (command.app !== this.#deps.app) {
          this.#engine.rejectConnect(command.transactionId, `expected the application ${this.#deps.app}`);
          return guardFault('bad-app', `expected the application ${this.#deps.app}`);
        }
        this.#encoder = command.encoder;
        return faultOf(this.#engine.connect(command));
      case 'create-stream':
        return faultOf(this.#engine.createStream(command.transactionId));
      case 'publish':
        this.#publishStreamId = command.streamId;
        this.#check(command.key);
        return undefined;
      case 'play':
        this.#engine.status(
          { level: 'error', code: 'NetStream.Play.Failed', description: 'Nothing is played here: use the HLS URL.' },
          command.streamId,
        );
        return guardFault('playback', 'a play command');
      case 'finish':
        if (this.#handle === undefined) return undefined;
        this.#leave((handle) => handle.finished());
        this.#engine.status(endStatus('encoder-stopped'));
        this.#close();
        return undefined;
      case 'other':
        return undefined;
      default:
        return assertNever(command);
    }
  }

  tag(tag: MediaTag): void {
    if (tag.kind !== 'data') this.#deadlines.media(this.#deps.clock.monotonicMs());
    if (this.#handle?.tag(tag) === false) this.pause();
  }

  dropped(reason: DropReason, detail: string): void {
    this.#deps.metrics.messagesDropped.inc({ reason });
    if (reason !== 'unsupported-codec') return;
    this.#deadlines.media(this.#deps.clock.monotonicMs());
    this.#handle?.leftOut(detail);
  }

  windowAckSize(bytes: number): void {
    this.#acks.every(bytes);
  }

  pingRequest(timestamp: number): void {
    this.#engine.pong(timestamp);
  }

  #read(bytes: Uint8Array): void {
    if (this.#over) return;
    const { metrics } = this.#deps;
    metrics.reads.inc();
    metrics.receivedBytes.inc(bytes.length);
    const before = this.#guard.messages;
    const fault = this.#guard.push(bytes);
    if (this.#guard.messages > before) metrics.messages.inc(this.#guard.messages - before);
    if (fault !== undefined) return this.#end(fault);
    this.#acks.received(bytes.length);
  }

  /** The key lives in this call only. */
  #check(key: string): void {
    const { checkKey, clock, metrics, register } = this.#deps;
    const sinceMs = clock.monotonicMs();
    this.#deadlines.checking();
    const decide = async () => {
      const granted = await checkKey(key, this.#encoder, this.#abort.signal);
      metrics.authSeconds.observe((clock.monotonicMs() - sinceMs) / 1_000);
      if (this.#over) return;
      if (!granted.ok) return this.refuse(granted.error);
      const handle = register.publish(this, granted.value);
      if (this.#over) handle.lost('protocol-error');
      else this.#handle = handle;
    };
    decide().catch((error: unknown) => {
      this.#log.error('key-check-failed', { error });
      this.refuse('not-ready');
    });
  }

  #must(result: Result<void, GuardFault>): void {
    if (!result.ok) this.#end(result.error);
  }

  /** A rule was broken. */
  #end(fault: GuardFault): void {
    if (this.#over) return;
    this.#deps.metrics.connectionsEnded.inc({ reason: fault.kind });
    this.#log.info('connection-ended', { reason: fault.kind, detail: fault.message });
    const loss = fault.kind === 'idle-timeout' ? 'timed-out' : 'protocol-error';
    this.#leave((handle) => handle.lost(loss));
    if (fault.kind === 'idle-timeout') this.#engine.status(endStatus('timed-out'));
    this.#close();
    if (!told.has(fault.kind)) this.#flow.destroy();
  }

  /** Tells the broadcast, once, that this connection is no longer its publisher. */
  #leave(tell: (handle: PublishHandle) => void): void {
    const handle = this.#handle;
    this.#handle = undefined;
    this.#over = true;
    this.#abort.abort();
    this.#guard.close();
    if (handle !== undefined) tell(handle);
  }

  #close(): void {
    this.#handle = undefined;
    this.#over = true;
    this.#abort.abort();
    this.#guard.close();
    this.#flow.close();
  }
}

function faultOf(result: Result<void, GuardFault>): GuardFault | undefined {
  return result.ok ? undefined : result.error;
}
