export { anAssignment } from './testing/assignment.ts';
export { defineJobLeasesContract, type JobLeasesHarness } from './testing/job-leases-contract.ts';
export { aProbeResult, aProbeTask } from './testing/leased-task.ts';
export {
  createMemoryJobLeases,
  type MemoryJobLeases,
  type MemoryTask,
} from './testing/memory-job-leases.ts';
export { createRecordingWorker, type RecordedSource, type RecordingWorker } from './testing/recording-worker.ts';
export { createRecordingWriter, type RecordingWriter } from './testing/recording-writer.ts';
export { defineSourceDeskContract, type SourceDeskHarness } from './testing/source-desk-contract.ts';
export { anOpenWindow, aPart, someRenditions } from './testing/window-samples.ts';
export { defineWindowWriterContract, type WindowWriterHarness } from './testing/window-writer-contract.ts';
