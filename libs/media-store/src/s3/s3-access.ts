import type { Secret } from '@millrace/config';
import { err, ok, type Result } from '@millrace/result';
import { parseMediaPrefix } from '../media-key.ts';

/** Where a bucket is, and how to write to it. */
export interface S3Access {
  readonly bucket: string;
  /** Put before every key: empty, or ends with `/`. */
  readonly prefix: string;
  /** Of a server that is not AWS; undefined: AWS, by region. */
  readonly endpoint: string | undefined;
  /** Undefined: the environment's or the machine's. */
  readonly region: string | undefined;
  /** `endpoint/bucket/key` in place of `bucket.endpoint/key`. */
  readonly pathStyle: boolean;
  /** Undefined: the environment's, a role's or the machine's, as AWS clients find them. */
  readonly credentials: { readonly keyId: string; readonly secret: Secret } | undefined;
  readonly encryption: 'none' | 'AES256' | 'aws:kms';
  /** Of `aws:kms`; undefined: the bucket's or the account's. */
  readonly kmsKeyId: string | undefined;
  /** Bytes that are sent at once; what is larger goes in parts of that size. */
  readonly partBytes: number;
  /** Most connections to the server. */
  readonly connections: number;
}

const bucketPattern = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Reads `s3://bucket/prefix`. The error says what was expected. */
export function parseBucketUrl(text: string): Result<{ readonly bucket: string; readonly prefix: string }, string> {
  const [, bucket = '', path = ''] = /^s3:\/\/([^/]*)\/?(.*)$/.exec(text) ?? [];
  if (!bucketPattern.test(bucket))
    return err(`expected s3://bucket or s3://bucket/prefix, got ${JSON.stringify(text.slice(0, 120))}`);
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`;
  const parsed = parseMediaPrefix(prefix);
  if (!parsed.ok) return err(`the prefix in ${JSON.stringify(text.slice(0, 120))}: ${prefixExpected}`);
  return ok({ bucket, prefix });
}

const prefixExpected = 'expected segments of [A-Za-z0-9._-] without a leading dot, joined by "/"';
