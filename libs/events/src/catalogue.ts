import { auditTopic, revokedTokensTopic, signingKeysTopic, streamKeysTopic, streamsTopic } from './control-topics.ts';
import { healthTopic, instancesTopic, liveStreamsTopic, renditionsTopic } from './live-topics.ts';
import { imagesTopic, jobsTopic, videosTopic } from './media-topics.ts';
import { audienceTopic, beaconsTopic, viewerSessionsTopic } from './playback-topics.ts';

/** Every topic there is; the log creates these at set-up and the docs list them. */
export const allTopics = [
  streamsTopic,
  streamKeysTopic,
  signingKeysTopic,
  revokedTokensTopic,
  auditTopic,
  instancesTopic,
  liveStreamsTopic,
  renditionsTopic,
  healthTopic,
  viewerSessionsTopic,
  beaconsTopic,
  audienceTopic,
  jobsTopic,
  videosTopic,
  imagesTopic,
] as const;
