export { mediaStoreContract } from './contract.ts';
export { type MemoryStore, openMemoryStore } from './memory-store.ts';
