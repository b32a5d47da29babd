import { join } from 'node:path';
import { defineSettings, setting } from '@millrace/config';

/** Where media rests; in the table of every process that opens the store. */
export const mediaStoreSettings = defineSettings({
  MEDIA_DIR: setting.optionalText({
    doc: 'Folder of the media store, the same for all processes that share media; unset: `media` in DATA_DIR.',
  }),
});

/** The folder of the media store. */
export function mediaFolder(settings: { readonly DATA_DIR: string; readonly MEDIA_DIR?: string | undefined }): string {
  return settings.MEDIA_DIR ?? join(settings.DATA_DIR, 'media');
}
