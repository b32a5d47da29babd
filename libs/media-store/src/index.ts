export { fitRange } from './byte-range.ts';
export { fetchToScratch } from './fetch-to-scratch.ts';
export { type FolderStoreOptions, openFolderStore } from './folder-store.ts';
export { parseMediaKey } from './media-key.ts';
export { mediaFolder, mediaStoreSettings } from './media-settings.ts';
export type { ByteRange, MediaStore, StoredEntry, StoredObject, StoreFailure } from './media-store.ts';
