/** What went wrong at a bucket, in the words of the port, and whether another try may do better. */
import type { StoreFailure } from '../media-store.ts';

/** What the driver's errors have; of errors of sockets only `code`. */
interface Told {
  readonly name: string;
  readonly message: string;
  readonly status: number | undefined;
  readonly code: string | undefined;
}

/** Names that S3, MinIO and Ceph give to a quota or disks that are used up. */
const fullNames = /^(QuotaExceeded|ServiceQuotaExceeded|XMinioStorageFull|InsufficientCapacity|EntityTooLarge)/;
const throttledNames = /^(SlowDown|ThrottlingException|TooManyRequests|RequestLimitExceeded|Throttling|BandwidthLimit)/;
const timeoutNames = /^(TimeoutError|RequestTimeout|RequestTimeoutException)$/;
const passingCodes = /^(ECONNRESET|ECONNREFUSED|ECONNABORTED|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;

export function toldBy(error: unknown): Told {
  const told = error instanceof Error ? error : new Error(String(error));
  const fields: Error & { readonly $metadata?: { readonly httpStatusCode?: number }; readonly code?: unknown } = told;
  const status = fields.$metadata?.httpStatusCode;
  return {
    name: told.name,
    message: told.message,
    status,
    code: typeof fields.code === 'string' ? fields.code : undefined,
  };
}

/** Why one try failed, if that may pass; undefined: the next would end the same. */
export function passingReason(error: unknown): 'throttled' | 'server' | 'timeout' | 'connection' | undefined {
  const { name, status, code } = toldBy(error);
  if (throttledNames.test(name) || status === 429 || status === 503) return 'throttled';
  if (status !== undefined && status >= 500 && status !== 501) return 'server';
  // First, as the client calls some of these a timeout.
  if (code !== undefined && passingCodes.test(code)) return 'connection';
  return timeoutNames.test(name) || code === 'ETIMEDOUT' ? 'timeout' : undefined;
}

/** `key` is the store's, without the bucket's prefix. A missing bucket is no missing object. */
export function storeFailureOf(error: unknown, key: string): StoreFailure {
  const { name, message, status, code } = toldBy(error);
  if (name === 'NoSuchKey' || (status === 404 && name !== 'NoSuchBucket')) return { kind: 'not-found', key };
  const text = `${name === 'Error' ? (code ?? name) : name}: ${message}${status === undefined ? '' : ` (status ${status})`}`;
  // Of the local disk that a file is read from, too.
  if (fullNames.test(name) || status === 507 || code === 'ENOSPC' || code === 'EDQUOT')
    return { kind: 'full', message: text };
  return { kind: 'unavailable', message: text };
}

export function isBadRange(error: unknown): boolean {
  const { name, status } = toldBy(error);
  return name === 'InvalidRange' || status === 416;
}

/** Whether the server does not know this kind of request at all. */
export function isUnknownRequest(error: unknown): boolean {
  const { name, status } = toldBy(error);
  return name === 'NotImplemented' || status === 501 || status === 405;
}
