/**
 * The RTMP and RTMPS listeners: admission, one connection object per socket, a shared tick for deadlines, and the drain.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import type { Timer } from '@millrace/clock';
import { toListenError } from '@millrace/http';
import { Admission, type AdmissionLimits } from '../core/admission.ts';
import { type ByteSource, plainSource, sharedSource } from './byte-source.ts';
import { type ConnectionDeps, RtmpConnection } from './rtmp-connection.ts';
import type { TlsFiles } from './tls-files.ts';

export interface RtmpServerOptions {
  readonly host: string;
  /** 0 asks the system for a free port. */
  readonly rtmpPort: number;
  readonly rtmps: { readonly port: number; readonly files: TlsFiles } | undefined;
  readonly admission: AdmissionLimits;
  /** How long publishers may take to go after they were told, ms. */
  readonly drainMs: number;
}

const tickMs = 500;
const tlsHandshakeMs = 5_000;

export class RtmpServer implements AsyncDisposable {
  readonly #options: RtmpServerOptions;
  readonly #deps: ConnectionDeps;
  readonly #admission: Admission;
  readonly #servers: Server[] = [];
  readonly #connections = new Set<RtmpConnection>();
  /** Raw sockets of RTMPS: in their TLS handshake they have no connection object yet. */
  readonly #rawTls = new Set<Socket>();
  readonly #tick: Timer;
  #emptied: (() => void) | undefined;
  #draining: Promise<void> | undefined;

  private constructor(options: RtmpServerOptions, deps: ConnectionDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#admission = new Admission(options.admission);
    this.#tick = deps.clock.every(tickMs, () => {
      const nowMs = deps.clock.monotonicMs();
      for (const connection of this.#connections) connection.tick(nowMs);
    });
  }

  /** Opens the listeners. Throws a ListenError when a port is taken; nothing is left open then. */
  static async listen(options: RtmpServerOptions, deps: ConnectionDeps): Promise<RtmpServer> {
    const server = new RtmpServer(options, deps);
    try {
      await server.#listenPlain();
      if (options.rtmps !== undefined) await server.#listenTls(options.rtmps);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  get rtmpPort(): number {
    return portOf(this.#servers[0]);
  }

  get rtmpsPort(): number | undefined {
    return this.#servers[1] === undefined ? undefined : portOf(this.#servers[1]);
  }

  get connections(): number {
    return this.#admission.connections;
  }

  /** Stops accepting, gives connections time to leave, then closes them. Broadcasts are drained by their register first. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  async #listenPlain(): Promise<void> {
    const server = createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000, pauseOnConnect: true },
      (socket) => {
        const address = socket.remoteAddress;
        const leave = this.#admit(socket);
        if (leave !== undefined) this.#open(sharedSource(socket), address, 'rtmp', leave);
      },
    );
    await listen(server, this.#options.rtmpPort, this.#options.host, 'RTMP_PORT');
    this.#servers.push(server);
  }

  async #listenTls(rtmps: { readonly port: number; readonly files: TlsFiles }): Promise<void> {
    const server: TlsServer = createTlsServer(
      { ...rtmps.files.read(), noDelay: true, keepAlive: true, handshakeTimeout: tlsHandshakeMs },
      (socket) => this.#open(plainSource(socket), socket.remoteAddress, 'rtmps', () => {}),
    );
    // Admitted before the TLS handshake, which costs more than RTMP's.
    server.on('connection', (socket: Socket) => {
      const leave = this.#admit(socket);
      if (leave === undefined) return;
      this.#rawTls.add(socket);
      socket.once('close', () => {
        this.#rawTls.delete(socket);
        leave();
      });
    });
    server.on('tlsClientError', (_error, socket) => {
      this.#deps.metrics.connectionsRefused.inc({ reason: 'tls-handshake' });
      socket.destroy();
    });
    rtmps.files.onChange((files) => server.setSecureContext(files));
    await listen(server, rtmps.port, this.#options.host, 'RTMPS_PORT');
    this.#servers.push(server);
  }

  /** Counts a socket in, or closes it. Returns how to count it out. */
  #admit(socket: Socket): (() => void) | undefined {
    const admitted =
      socket.remoteAddress === undefined || this.#draining !== undefined
        ? ('closing' as const)
        : this.#admission.admit(socket.remoteAddress);
    if (typeof admitted !== 'string') return admitted.leave;
    this.#deps.metrics.connectionsRefused.inc({ reason: admitted });
    socket.on('error', () => {});
    socket.destroy();
    return undefined;
  }

  #open(source: ByteSource, address: string | undefined, transport: 'rtmp' | 'rtmps', onClosed: () => void): void {
    this.#deps.metrics.connections.inc({ transport });
    const connection = new RtmpConnection(source, address ?? 'unknown', this.#deps, () => {
      onClosed();
      this.#connections.delete(connection);
      if (this.#connections.size === 0) this.#emptied?.();
    });
    this.#connections.add(connection);
  }

  async #drain(): Promise<void> {
    const closed = Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
    if (this.#connections.size > 0) {
      const empty = new Promise<void>((resolve) => {
        this.#emptied = resolve;
      });
      const late = this.#deps.clock.after(this.#options.drainMs, () => {
        for (const connection of this.#connections) connection.destroy();
      });
      for (const connection of this.#connections) connection.drain();
      await empty;
      late.cancel();
    }
    for (const socket of this.#rawTls) socket.destroy();
    this.#tick.cancel();
    await closed;
  }
}

function listen(server: Server, port: number, host: string, setting: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(toListenError(error, host, port, setting));
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      server.on('error', () => {}); // accept errors (EMFILE): the connection is lost, the listener goes on
      resolve();
    });
  });
}

function portOf(server: Server | undefined): number {
  const address = server?.address();
  if (typeof address !== 'object' || address === null) throw new Error('the RTMP listener is not listening');
  return address.port;
}
