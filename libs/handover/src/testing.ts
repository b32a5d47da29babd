export { anAssignment } from './testing/assignment.ts';
export { createRecordingWorker, type RecordedSource, type RecordingWorker } from './testing/recording-worker.ts';
export { createRecordingWriter, type RecordingWriter } from './testing/recording-writer.ts';
export { defineSourceDeskContract, type SourceDeskHarness } from './testing/source-desk-contract.ts';
export { anOpenWindow, aPart, someRenditions } from './testing/window-samples.ts';
export { defineWindowWriterContract, type WindowWriterHarness } from './testing/window-writer-contract.ts';
