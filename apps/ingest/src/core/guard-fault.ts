/**
 * Why a connection is ended. The kind is a bounded metric label; the message says what was expected and what came, and
 * never holds a stream key or other text of the peer's.
 */
export type GuardFaultKind =
  | 'bad-handshake'
  | 'handshake-timeout'
  | 'publish-timeout'
  | 'idle-timeout'
  | 'worker-behind'
  | 'bad-chunk'
  | 'chunk-size'
  | 'message-length'
  | 'chunk-streams'
  | 'buffer-limit'
  | 'unknown-message'
  | 'bad-control'
  | 'bad-command'
  | 'amf-limit'
  | 'bad-tc-url'
  | 'bad-app'
  | 'command-order'
  | 'command-flood'
  | 'second-publish'
  | 'playback'
  | 'media-before-publish'
  | 'peer-not-reading'
  | 'engine-fault';

export interface GuardFault {
  readonly kind: GuardFaultKind;
  readonly message: string;
}

/** A fault value. */
export function guardFault(kind: GuardFaultKind, message: string): GuardFault {
  return { kind, message };
}
