export { defineEventLogContract, type EventLogHarness } from './event-log-contract.ts';
export { kafkaSupervisorVariable, type TestKafka, testKafka } from './kafka/test-kafka.ts';
export { type MemoryEventLogOptions, openMemoryEventLog } from './memory-event-log.ts';
export { openMemoryFactWriter } from './memory-fact-writer.ts';
export { MemoryStore } from './memory-store.ts';
