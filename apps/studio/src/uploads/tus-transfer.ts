/** Resumable transfers by tus 1.0 (tus-js-client). In a bundle of its own: only who uploads needs it. */
import { type DetailedError, defaultOptions, type PreviousUpload, Upload } from 'tus-js-client';
import { type ApiError, errorFromAnswer } from '../api/api-error.ts';
import { ownAddress } from '../api/own-address.ts';
import type { Transfer, TransferEvents, TransferPlan, Unfinished } from './transfer.ts';

/** Of one request; the server keeps what came of it when it breaks off. */
const requestBytes = 64 * 1024 * 1024;

/** Begins nothing yet. A file that was begun before goes on where it was. */
export function openTransfer(file: File, plan: TransferPlan, events: TransferEvents): Transfer {
  let held = false;
  const upload = new Upload(file, {
    endpoint: ownAddress(plan.endpoint),
    metadata: { video_id: plan.videoId, filename: file.name, filetype: file.type },
    fingerprint: () => Promise.resolve(fingerprintOf(file, plan.ownerId)),
    removeFingerprintOnSuccess: true,
    chunkSize: requestBytes,
    // `Uploads` decides when to try again, and says so on the page.
    retryDelays: null,
    onBeforeRequest: (request) => {
      // A pause in the moment before the request would be forgotten.
      if (held) throw new Error('paused');
      const token = plan.token();
      if (token !== undefined) request.setHeader('authorization', `Bearer ${token}`);
    },
    onUploadUrlAvailable: () => {
      if (upload.url !== null) upload.url = ownAddress(upload.url);
    },
    onProgress: (bytes) => events.onSent(bytes),
    onSuccess: () => events.onDone(),
    onError: (error) => events.onError(errorOf(error)),
  });
  if (plan.previous !== undefined) upload.resumeFromPreviousUpload(plan.previous.stored as PreviousUpload);
  return {
    start: () => {
      held = false;
      upload.start();
    },
    pause: () => {
      held = true;
      return upload.abort();
    },
    cancel: async () => {
      held = true;
      await upload.abort();
      held = false;
      await upload.abort(true);
    },
  };
}

/** The upload of this very file that was begun by the same person in this browser and not finished. */
export async function findPrevious(file: File, ownerId: string): Promise<Unfinished | undefined> {
  const found = await defaultOptions.urlStorage.findUploadsByFingerprint(fingerprintOf(file, ownerId));
  return found.map((one) => unfinishedOf(one)).find((one) => one !== undefined);
}

/** Every unfinished upload of this person in this browser, with what the server has of it. */
export async function findUnfinished(
  ownerId: string,
  token: () => string | undefined,
): Promise<readonly (Unfinished & { readonly sentBytes: number })[]> {
  const all = await defaultOptions.urlStorage.findAllUploads();
  const mine = all.filter((one) => one.urlStorageKey.startsWith(`tus::${prefixOf(ownerId)}`));
  const known = await Promise.all(
    mine.map(async (stored) => {
      const unfinished = unfinishedOf(stored);
      const offset = unfinished && (await askOffset(unfinished.url, token()));
      if (unfinished === undefined || offset === 'gone') {
        await defaultOptions.urlStorage.removeUpload(stored.urlStorageKey);
        return [];
      }
      return offset === undefined ? [] : [{ ...unfinished, sentBytes: offset }];
    }),
  );
  return known.flat();
}

/** Ends an unfinished upload, here and on the server. */
export async function discardUnfinished({ url, stored }: Unfinished, token: string | undefined): Promise<void> {
  await defaultOptions.urlStorage.removeUpload((stored as PreviousUpload).urlStorageKey);
  // What the server does not hear now it removes by itself when the upload expires.
  await fetch(url, { method: 'DELETE', headers: headersOf(token) }).catch(() => undefined);
}

function prefixOf(ownerId: string): string {
  return `millrace-${ownerId}-`;
}

function fingerprintOf({ name, size, lastModified }: File, ownerId: string): string {
  return `${prefixOf(ownerId)}${name}-${size}-${lastModified}`;
}

function unfinishedOf(stored: PreviousUpload): Unfinished | undefined {
  const { uploadUrl, size, metadata } = stored;
  const { video_id: videoId, filename: fileName } = metadata;
  if (uploadUrl === null || size === null || videoId === undefined || fileName === undefined) return undefined;
  return { videoId, fileName, sizeBytes: size, url: ownAddress(uploadUrl), stored };
}

/** Bytes that the server has; `gone`: it knows the upload no more; undefined: it did not say. */
async function askOffset(url: string, token: string | undefined): Promise<number | 'gone' | undefined> {
  try {
    const answer = await fetch(url, { method: 'HEAD', headers: headersOf(token), cache: 'no-store' });
    if (answer.status === 404 || answer.status === 410 || answer.status === 403) return 'gone';
    const offset = Number(answer.headers.get('upload-offset') ?? Number.NaN);
    return answer.ok && Number.isSafeInteger(offset) ? offset : undefined;
  } catch {
    return undefined;
  }
}

function headersOf(token: string | undefined): Record<string, string> {
  return { 'tus-resumable': '1.0.0', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
}

function errorOf(error: Error | DetailedError): ApiError {
  const response = 'originalResponse' in error ? error.originalResponse : null;
  const status = response?.getStatus() ?? 0;
  if (response === null || status === 0) return { kind: 'unreachable' };
  const text = response.getBody();
  try {
    return errorFromAnswer(status, JSON.parse(text));
  } catch {
    // A tus server may answer in plain words.
    return errorFromAnswer(status, { title: text.trim().slice(0, 300) || undefined });
  }
}
