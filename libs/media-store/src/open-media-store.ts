import { fileURLToPath } from 'node:url';
import type { Clock } from '@millrace/clock';
import type { Logger } from '@millrace/log';
import { openFolderStore } from './folder-store.ts';
import { type MediaStoreSettings, mediaFolder } from './media-settings.ts';
import type { MediaStore } from './media-store.ts';
import { parseBucketUrl, type S3Access } from './s3/s3-access.ts';
import { openS3Store } from './s3/s3-store.ts';
import { noStoreObserver, type StoreObserver } from './store-observer.ts';

export interface OpenMediaStoreOptions {
  readonly settings: MediaStoreSettings;
  readonly clock: Clock;
  readonly log: Logger;
  /** See `mediaStoreMetrics`. */
  readonly metrics?: StoreObserver;
  /** Writes to a folder outlive a power cut; those to a bucket do in any case. */
  readonly fsync?: boolean;
}

/** Opens the store that the settings name: a bucket, or a folder. Rejects with a text for the operator when it cannot be. */
export async function openMediaStore(options: OpenMediaStoreOptions): Promise<MediaStore & AsyncDisposable> {
  const { settings, clock, log, metrics: observer = noStoreObserver, fsync = false } = options;
  const url = settings.MEDIA_STORE_URL;
  if (url?.startsWith('s3:')) return openS3Store({ access: s3Access(settings, url), clock, log, observer });
  const store = await openFolderStore({ folder: url === undefined ? mediaFolder(settings) : folderOf(url), fsync });
  return Object.assign(store, { [Symbol.asyncDispose]: async () => {} });
}

function folderOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw new Error(
      `MEDIA_STORE_URL: expected s3://bucket/prefix or file:///folder, got ${JSON.stringify(url.slice(0, 120))}`,
      {
        cause: error,
      },
    );
  }
}

/** What the MEDIA_S3_* settings say of the bucket in `url`. Throws with a text for the operator. */
function s3Access(settings: MediaStoreSettings, url: string): S3Access {
  const named = parseBucketUrl(url);
  if (!named.ok) throw new Error(`MEDIA_STORE_URL: ${named.error}`);
  const { MEDIA_S3_ACCESS_KEY_ID: keyId, MEDIA_S3_SECRET_ACCESS_KEY: secret } = settings;
  if ((keyId === undefined) !== (secret === undefined))
    throw new Error('expected MEDIA_S3_ACCESS_KEY_ID and MEDIA_S3_SECRET_ACCESS_KEY together, got only one of them');
  if (settings.MEDIA_S3_KMS_KEY_ID !== undefined && settings.MEDIA_S3_ENCRYPTION !== 'aws:kms')
    throw new Error('MEDIA_S3_KMS_KEY_ID: expected MEDIA_S3_ENCRYPTION=aws:kms with it');
  return {
    ...named.value,
    endpoint: settings.MEDIA_S3_ENDPOINT,
    region: settings.MEDIA_S3_REGION,
    pathStyle: settings.MEDIA_S3_PATH_STYLE,
    credentials: keyId === undefined || secret === undefined ? undefined : { keyId, secret },
    encryption: settings.MEDIA_S3_ENCRYPTION,
    kmsKeyId: settings.MEDIA_S3_KMS_KEY_ID,
    partBytes: settings.MEDIA_S3_PART_MIB * 1024 * 1024,
    connections: settings.MEDIA_S3_CONNECTIONS,
  };
}
