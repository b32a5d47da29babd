/** One RTMP message as one type 0 chunk (5.3.1.2.1): what the command engine is fed with. */
export function encodeSingleChunk(message: {
  readonly chunkStreamId: number;
  readonly type: number;
  readonly streamId: number;
  /** Not longer than the chunk size in force. */
  readonly body: Uint8Array;
}): Uint8Array {
  const { chunkStreamId, type, streamId, body } = message;
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, chunkStreamId & 0x3f);
  view.setUint8(4, body.length >> 16);
  view.setUint16(5, body.length & 0xffff);
  view.setUint8(7, type);
  view.setUint32(8, streamId, true);
  bytes.set(body, 12);
  return bytes;
}
