export { allTopics } from './catalogue.ts';
export {
  type AuditFact,
  auditTopic,
  type LatencyMode,
  latencyModeSchema,
  type RevokedToken,
  revokedTokensTopic,
  type SigningKey,
  type StreamDefinition,
  type StreamKeyState,
  signingKeysTopic,
  streamKeysTopic,
  streamsTopic,
  type Visibility,
  visibilitySchema,
} from './control-topics.ts';
export { type DeadLetter, deadLetterTopicOf } from './dead-letter.ts';
export { foldLiveFact, type LiveRecord } from './live-state.ts';
export {
  type HealthSample,
  healthTopic,
  type InstanceSeen,
  instancesTopic,
  type LiveStreamFact,
  liveStreamsTopic,
  type RenditionFact,
  renditionsTopic,
  type StreamEndReason,
  streamEndReasons,
} from './live-topics.ts';
export {
  type ImageVideoState,
  imagesTopic,
  isHouseWork,
  type JobFact,
  type JobKind,
  type JobStep,
  jobKinds,
  jobsTopic,
  type VideoState,
  videosTopic,
} from './media-topics.ts';
export {
  type AudienceCount,
  audienceTopic,
  type Beacon,
  beaconsTopic,
  type DeviceKind,
  deviceKinds,
  type PlayState,
  playStates,
  type ViewerFact,
  type ViewerLeaveReason,
  viewerLeaveReasons,
  viewerSessionsTopic,
} from './playback-topics.ts';
export { dayMs, defineTopic, hourMs, keepForever, type Topic, type TopicKind } from './topic.ts';
