export { type Epoch, nextEpoch, parseEpoch } from './epoch.ts';
export {
  type EventId,
  type Id,
  type IdPrefix,
  type IdSource,
  idTimeMs,
  type KeyId,
  newId,
  type OwnerId,
  type PlaybackId,
  type PublishId,
  parseId,
  type RequestId,
  type SessionId,
  type StreamId,
  systemIdSource,
  type TokenId,
} from './id.ts';
