export { anAssignment } from './testing/assignment.ts';
export { createRecordingWorker, type RecordedSource, type RecordingWorker } from './testing/recording-worker.ts';
export { defineSourceDeskContract, type SourceDeskHarness } from './testing/source-desk-contract.ts';
