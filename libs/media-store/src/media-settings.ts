import { join } from 'node:path';
import { defineSettings, type Settings, setting } from '@millrace/config';

/** Where media rests; in the table of every process that opens the store. */
export const mediaStoreSettings = defineSettings({
  MEDIA_STORE_URL: setting.optionalText({
    doc: 'Where media rests, the same for all processes that share it: `s3://bucket/prefix`, or `file:///folder`; unset: the folder of MEDIA_DIR.',
  }),
  MEDIA_DIR: setting.optionalText({
    doc: 'Folder of the media store where MEDIA_STORE_URL is unset; unset: `media` in DATA_DIR.',
  }),
  MEDIA_S3_ENDPOINT: setting.optionalUrl({
    doc: 'Server of the bucket, for MinIO and others: `https://minio.example:9000`; unset: AWS.',
  }),
  MEDIA_S3_REGION: setting.optionalText({
    doc: 'Region of the bucket; unset: AWS_REGION or the machine’s, and `us-east-1` with MEDIA_S3_ENDPOINT.',
  }),
  MEDIA_S3_PATH_STYLE: setting.flag({
    doc: 'The bucket’s name in the path, not in the host name: what MinIO and most others need.',
    fallback: 'false',
  }),
  MEDIA_S3_ACCESS_KEY_ID: setting.optionalText({
    doc: 'Access key; unset: credentials are found as AWS clients find them (AWS_ACCESS_KEY_ID, a role of the pod or the machine).',
  }),
  MEDIA_S3_SECRET_ACCESS_KEY: setting.optionalSecret({ doc: 'Secret of the access key.' }),
  MEDIA_S3_ENCRYPTION: setting.oneOf({
    doc: 'Encryption that each object is written with; `none`: what the bucket does by itself.',
    fallback: 'none',
    values: ['none', 'AES256', 'aws:kms'],
  }),
  MEDIA_S3_KMS_KEY_ID: setting.optionalText({ doc: 'Key for `aws:kms`; unset: the bucket’s or the account’s own.' }),
  MEDIA_S3_PART_MIB: setting.integer({
    doc: 'Size of the parts that large objects are sent in, MiB; 10,000 of them are the largest object that is written as it comes. Up to 8 are in memory at once.',
    fallback: '8',
    min: 5,
    max: 512,
  }),
  MEDIA_S3_CONNECTIONS: setting.integer({
    doc: 'Most connections to the bucket: no less than may be read from it at once.',
    fallback: '1500',
    min: 4,
    max: 65_535,
  }),
});

export type MediaStoreSettings = Settings<typeof mediaStoreSettings> & { readonly DATA_DIR: string };

/** The folder of a media store that is none of a bucket. */
export function mediaFolder({ MEDIA_DIR, DATA_DIR }: Pick<MediaStoreSettings, 'MEDIA_DIR' | 'DATA_DIR'>): string {
  return MEDIA_DIR ?? join(DATA_DIR, 'media');
}
