export { leaseMs } from './claim-lease.ts';
export { sourceClaimMetrics, windowWriteMetrics } from './handover-metrics.ts';
export { type JobLeaseClientOptions, openJobLeaseClient } from './job-lease-client.ts';
export { type JobLeaseEvent, type JobLeaseServerOptions, openJobLeaseServer } from './job-lease-server.ts';
export {
  type JobLeases,
  jobHeartbeatMs,
  jobLeaseMs,
  jobReportMs,
  type LeaseFailure,
  type LeaseStanding,
} from './job-leases.ts';
export { createLocalSourceDesk } from './local-source-desk.ts';
export { originName, rankOrigins } from './rendezvous.ts';
export type { ClaimBuffer } from './source-claim.ts';
export { openSourceClaimServer, type SourceClaimEvent, type SourceClaimServerOptions } from './source-claim-server.ts';
export { openSourceDeskClient, type SourceDeskClientOptions } from './source-desk-client.ts';
export type {
  Claim,
  ClaimEvents,
  ClaimLoss,
  ParkedWorkers,
  SourceAssignment,
  SourceDesk,
  SourceEnd,
  SourceHandler,
  SourceLink,
} from './source-port.ts';
export type {
  ListedFrame,
  LiveWindowOrigin,
  LiveWindowWriter,
  OpenWindow,
  PartWrite,
  RenditionPosition,
  RenditionSpec,
  WindowSettings,
  WindowStanding,
  WindowState,
  WriteRefusal,
} from './window-port.ts';
export { openWindowWriterClient, type WindowWriterClientOptions } from './window-writer-client.ts';
export {
  openWindowWriterServer,
  type WindowWriteEvent,
  type WindowWriterServerOptions,
} from './window-writer-server.ts';
