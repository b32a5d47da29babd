/**
 * The requests that the store makes of a bucket, over AWS's own client, which is loaded only where a bucket is used. The client signs,
 * finds credentials, and repeats what may pass, with backoff and a budget; here are its limits, and what is told of it.
 */
import type { Readable } from 'node:stream';
import type * as Sdk from '@aws-sdk/client-s3';
import type { StoreObserver } from '../store-observer.ts';
import type { S3Access } from './s3-access.ts';
import { passingReason, storeFailureOf } from './s3-failures.ts';

/** Times that a request is tried, the first one included. */
const mostTries = 5;
const connectMs = 4_000;
/** Of a request without a body worth naming: one try, and all of them together, ms. */
const quick = { tryMs: 8_000, allMs: 20_000 } as const;
/** Of the look at the bucket that a start waits for, ms. */
const first = { tryMs: 4_000, allMs: 5_000 } as const;
/** Of one that carries a part, or makes an object of its parts, ms. */
const long = { tryMs: 120_000, allMs: 300_000 } as const;

export interface UploadedPart {
  readonly number: number;
  /** ETag. */
  readonly tag: string;
}

export interface FoundObject {
  readonly body: Readable;
  readonly size: number;
  readonly start: number;
  readonly end: number;
  readonly tag: string | undefined;
}

export interface StaleUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly begunMs: number;
}

/** Keys here are the bucket's, the prefix included. What is refused or fails rejects with the client's error. */
export class S3Api implements Disposable {
  readonly #sdk: typeof Sdk;
  readonly #client: Sdk.S3Client;
  readonly #access: S3Access;
  readonly #observer: StoreObserver;
  readonly #where: { readonly Bucket: string };
  readonly #closed = new AbortController();
  readonly #encrypted: { ServerSideEncryption?: 'AES256' | 'aws:kms'; SSEKMSKeyId?: string };

  private constructor(sdk: typeof Sdk, access: S3Access, observer: StoreObserver) {
    this.#sdk = sdk;
    this.#access = access;
    this.#observer = observer;
    this.#where = { Bucket: access.bucket };
    this.#encrypted = {
      ...(access.encryption === 'none' ? {} : { ServerSideEncryption: access.encryption }),
      ...(access.kmsKeyId === undefined ? {} : { SSEKMSKeyId: access.kmsKeyId }),
    };
    this.#client = clientOf(sdk, access);
    this.#client.middlewareStack.add(
      (next) => async (args) => {
        try {
          return await next(args);
        } catch (error) {
          const reason = passingReason(error);
          if (reason !== undefined) observer.triedInVain(reason);
          throw error;
        }
      },
      { step: 'deserialize', priority: 'high', name: 'countTries' },
    );
  }

  static async open(access: S3Access, observer: StoreObserver): Promise<S3Api> {
    return new S3Api(await import('@aws-sdk/client-s3'), access, observer);
  }

  /** Rejects when the bucket is not there, or not for us. */
  async checkBucket(): Promise<void> {
    await this.#send('check', first, new this.#sdk.HeadBucketCommand(this.#where));
  }

  /** `tag`: only while the object has this ETag. */
  async getObject(key: string, range?: string, tag?: string): Promise<FoundObject> {
    const asked = { ...this.#where, Key: key, ...(range && { Range: range }), ...(tag && { IfMatch: tag }) };
    const found = await this.#send('get', quick, new this.#sdk.GetObjectCommand(asked));
    const body = found.Body as Readable | undefined;
    const length = found.ContentLength ?? 0;
    const [, start, end, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(found.ContentRange ?? '') ?? [];
    if (body === undefined || (range !== undefined && size === undefined)) {
      body?.destroy();
      throw new Error(`expected a body with the range ${range ?? 'of all'}, got ${found.ContentRange ?? 'none'}`);
    }
    const whole = { start: 0, end: length - 1, size: length };
    const part = { start: Number(start), end: Number(end), size: Number(size) };
    return { body, tag: found.ETag, ...(range === undefined ? whole : part) };
  }

  async headObject(key: string): Promise<{ readonly size: number; readonly tag: string | undefined }> {
    const found = await this.#send('head', quick, new this.#sdk.HeadObjectCommand({ ...this.#where, Key: key }));
    return { size: found.ContentLength ?? 0, tag: found.ETag };
  }

  async putObject(key: string, body: Uint8Array): Promise<void> {
    const asked = { ...this.#where, ...this.#encrypted, Key: key, Body: body };
    await this.#send('put', long, new this.#sdk.PutObjectCommand(asked));
    this.#observer.bytes('out', body.byteLength);
  }

  async createUpload(key: string): Promise<string> {
    const asked = { ...this.#where, ...this.#encrypted, Key: key };
    const { UploadId } = await this.#send('create-upload', quick, new this.#sdk.CreateMultipartUploadCommand(asked));
    if (UploadId === undefined) throw new Error(`expected an id of the upload of ${key}, got none`);
    return UploadId;
  }

  /** Returns the part's ETag. */
  async uploadPart(key: string, uploadId: string, number: number, body: Uint8Array): Promise<string> {
    const asked = { ...this.#where, Key: key, UploadId: uploadId, PartNumber: number, Body: body };
    const { ETag } = await this.#send('upload-part', long, new this.#sdk.UploadPartCommand(asked));
    if (ETag === undefined) throw new Error(`expected an ETag of part ${number} of ${key}, got none`);
    this.#observer.bytes('out', body.byteLength);
    return ETag;
  }

  async completeUpload(key: string, uploadId: string, parts: readonly UploadedPart[]): Promise<void> {
    const Parts = parts.map(({ number, tag }) => ({ PartNumber: number, ETag: tag }));
    const asked = { ...this.#where, Key: key, UploadId: uploadId, MultipartUpload: { Parts } };
    await this.#send('complete-upload', long, new this.#sdk.CompleteMultipartUploadCommand(asked));
  }

  async abortUpload(key: string, uploadId: string): Promise<void> {
    const asked = { ...this.#where, Key: key, UploadId: uploadId };
    await this.#send('abort-upload', quick, new this.#sdk.AbortMultipartUploadCommand(asked));
  }

  /** One page of uploads in parts that are not complete; `more` when there are others behind them. */
  async listUploads(): Promise<{ readonly uploads: readonly StaleUpload[]; readonly more: boolean }> {
    const asked = { ...this.#where, ...(this.#access.prefix && { Prefix: this.#access.prefix }) };
    const page = await this.#send('list-uploads', quick, new this.#sdk.ListMultipartUploadsCommand(asked));
    const uploads = (page.Uploads ?? []).flatMap(({ Key, UploadId, Initiated }) =>
      Key === undefined || UploadId === undefined || Initiated === undefined
        ? []
        : [{ key: Key, uploadId: UploadId, begunMs: Initiated.getTime() }],
    );
    return { uploads, more: page.IsTruncated ?? false };
  }

  /** One page of at most 1,000 objects whose keys begin with `prefix`, from where `from` (of the page before) says. */
  async listObjects(
    prefix: string,
    from?: string,
  ): Promise<{ readonly entries: readonly { key: string; size: number }[]; readonly next: string | undefined }> {
    const asked = { ...this.#where, ...(prefix && { Prefix: prefix }), ...(from && { ContinuationToken: from }) };
    const page = await this.#send('list', quick, new this.#sdk.ListObjectsV2Command(asked));
    const entries = (page.Contents ?? []).flatMap(({ Key, Size }) =>
      Key === undefined ? [] : [{ key: Key, size: Size ?? 0 }],
    );
    return { entries, next: page.IsTruncated ? page.NextContinuationToken : undefined };
  }

  async deleteObject(key: string): Promise<void> {
    await this.#send('delete', quick, new this.#sdk.DeleteObjectCommand({ ...this.#where, Key: key }));
  }

  /** Removes at most 1,000 objects in one request; rejects when some of them stay. */
  async deleteObjects(keys: readonly string[]): Promise<void> {
    const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true };
    const asked = { ...this.#where, Delete };
    const { Errors = [] } = await this.#send('delete-many', quick, new this.#sdk.DeleteObjectsCommand(asked));
    const [one] = Errors;
    if (one !== undefined)
      throw new Error(`${Errors.length} of ${keys.length} stay: ${one.Key}: ${one.Code} ${one.Message}`);
  }

  get closed(): boolean {
    return this.#closed.signal.aborted;
  }

  /** Ends what is being asked, too. */
  [Symbol.dispose](): void {
    this.#closed.abort();
    this.#client.destroy();
  }

  async #send<I extends Sdk.ServiceInputTypes, O extends Sdk.ServiceOutputTypes>(
    operation: string,
    limits: { readonly tryMs: number; readonly allMs: number },
    command: SdkCommand<I, O>,
  ): Promise<O> {
    if (this.closed) throw new Error('the store is closed');
    const began = performance.now();
    // Not AbortSignal.timeout: it would go on, and cut the body of a read later.
    const abort = new AbortController();
    const stop = () => abort.abort();
    const timer = setTimeout(stop, limits.allMs);
    this.#closed.signal.addEventListener('abort', stop);
    const ended = (outcome: string) =>
      this.#observer.requested(operation, outcome, (performance.now() - began) / 1_000);
    try {
      const answer = await this.#client.send(command, { abortSignal: abort.signal, requestTimeout: limits.tryMs });
      ended('done');
      return answer;
    } catch (error) {
      ended(storeFailureOf(error, '').kind);
      if (this.#closed.signal.aborted) throw new Error('the store is closed', { cause: error });
      if (!abort.signal.aborted) throw error;
      throw Object.assign(new Error(`no answer in ${limits.allMs} ms`), { name: 'TimeoutError' });
    } finally {
      clearTimeout(timer);
      this.#closed.signal.removeEventListener('abort', stop);
    }
  }
}

type SdkCommand<I extends Sdk.ServiceInputTypes, O extends Sdk.ServiceOutputTypes> = Parameters<
  typeof Sdk.S3Client.prototype.send<I, O>
>[0];

function clientOf(sdk: typeof Sdk, access: S3Access): Sdk.S3Client {
  const { credentials, region, endpoint } = access;
  // Servers that are not AWS take any region; the name is part of what is signed.
  const named = region ?? (endpoint === undefined ? undefined : 'us-east-1');
  const agent = { maxSockets: access.connections };
  return new sdk.S3Client({
    ...(named === undefined ? {} : { region: named }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials && {
      credentials: { accessKeyId: credentials.keyId, secretAccessKey: credentials.secret.reveal() },
    }),
    forcePathStyle: access.pathStyle,
    maxAttempts: mostTries,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: connectMs,
      throwOnRequestTimeout: true,
      socketTimeout: 0,
      httpAgent: agent,
      httpsAgent: agent,
    },
    // Bodies are signed with their SHA-256, which the server checks; further checksums not all servers know.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
  });
}
