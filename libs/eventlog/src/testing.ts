export { defineEventLogContract, type EventLogHarness } from './event-log-contract.ts';
export { type MemoryEventLogOptions, openMemoryEventLog } from './memory-event-log.ts';
export { openMemoryFactWriter } from './memory-fact-writer.ts';
export { MemoryStore } from './memory-store.ts';
