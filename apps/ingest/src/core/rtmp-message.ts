/** RTMP message types (Adobe RTMP 1.0, 5.4 and 7.1) that a publisher may send, and what else a message head says. */
export const messageType = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAckSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  amf3Data: 15,
  amf3Command: 17,
  data: 18,
  command: 20,
  aggregate: 22,
} as const;

export interface MessageHead {
  readonly type: number;
  /** As on the wire, modulo 2^32, ms. */
  readonly timestamp: number;
  /** Length of the body, bytes. */
  readonly length: number;
  /** Message stream id. */
  readonly streamId: number;
}

/** Where a body's bytes go: the first `headBytes` apart, the rest into `payload`; `skip` counts them and keeps none. */
export interface BodyPlan {
  readonly headBytes: number;
  readonly payload: Uint8Array;
  readonly skip: boolean;
}
