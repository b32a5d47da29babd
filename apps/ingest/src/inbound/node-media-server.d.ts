/** The part of node-media-server 4.4.3 that is used; the package has no types of its own. */
declare module 'node-media-server/src/session/rtmp_session.js' {
  /** What a session needs of its socket. */
  interface SessionSocket {
    readonly remoteAddress: string;
    readonly remotePort: number;
    on(event: string, listener: (...args: never[]) => void): unknown;
    write(bytes: Uint8Array): unknown;
    end(): unknown;
  }

  interface RtmpEngine {
    onOutputCallback: (bytes: Buffer) => void;
    onConnectCallback: (request: unknown) => void;
    onPlayCallback: () => void;
    onPushCallback: () => void;
    onPacketCallback: (packet: unknown) => void;
    objectEncoding: number;
    parserData(bytes: Buffer): string | null;
    respondConnect(transactionId: number): void;
    sendACK(bytes: number): void;
    /** A user control event (7.1.7) with one 32-bit argument. */
    sendStreamStatus(event: number, argument: number): void;
    sendInvokeMessage(streamId: number, command: Readonly<Record<string, unknown>>): void;
    sendStatusMessage(streamId: number, level: string, code: string, description: string): void;
  }

  class RtmpSession {
    constructor(socket: SessionSocket);
    readonly rtmp: RtmpEngine;
    run(): void;
  }
  export = RtmpSession;
}

declare module 'node-media-server/src/core/logger.js' {
  const logger: { log: (message: string, level?: string) => void };
  export = logger;
}

declare module 'node-media-server/src/core/context.js' {
  const context: {
    readonly sessions: ReadonlyMap<unknown, unknown>;
    readonly broadcasts: ReadonlyMap<unknown, unknown>;
  };
  export = context;
}
