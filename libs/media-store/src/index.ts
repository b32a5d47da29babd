export { fitRange } from './byte-range.ts';
export { fetchToScratch } from './fetch-to-scratch.ts';
export { type FolderStoreOptions, openFolderStore } from './folder-store.ts';
export { parseMediaKey } from './media-key.ts';
export { type MediaStoreSettings, mediaFolder, mediaStoreSettings } from './media-settings.ts';
export type { ByteRange, MediaStore, StoredEntry, StoredObject, StoreFailure } from './media-store.ts';
export { mediaStoreMetrics } from './metrics.ts';
export { type OpenMediaStoreOptions, openMediaStore } from './open-media-store.ts';
export type { StoreObserver } from './store-observer.ts';
