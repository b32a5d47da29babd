/** What the parts of an upload's handling know of the request that they serve. */
import type { Actor } from '@millrace/auth';

export interface Checksum {
  readonly algorithm: (typeof checksumAlgorithms)[number];
  /** Base64 of the digest. */
  readonly expected: string;
}

export interface UploadRequest {
  readonly actor: Actor;
  readonly checksum: Checksum | undefined;
  /** Begins an upload in one transaction with its audit fact. Throws a refusal. */
  readonly begin: (uploadId: string, size: number, metadata: Record<string, string | null>) => Promise<void>;
  /** Ends an upload before its time. Throws a refusal. */
  readonly end: (uploadId: string) => Promise<void>;
}

/** As the tus `checksum` extension asks for, sha1 at least. */
export const checksumAlgorithms = ['sha1', 'sha256', 'md5'] as const;

/** Reads `Upload-Checksum`; undefined: there is none; null: it is not as documented. */
export function readChecksum(header: string | undefined): Checksum | undefined | null {
  if (header === undefined) return undefined;
  const [name, expected, ...more] = header.split(' ');
  const algorithm = checksumAlgorithms.find((known) => known === name);
  if (algorithm === undefined || expected === undefined || more.length > 0) return null;
  return /^[A-Za-z0-9+/]{20,64}={0,2}$/.test(expected) ? { algorithm, expected } : null;
}
