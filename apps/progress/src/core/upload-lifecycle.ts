/** The life of an upload in the database: begun with its video, ended, expired. Each of these is one transaction of the caller's. */
import { record } from '@millrace/eventlog';
import { videosTopic } from '@millrace/events';
import { type IdSource, newId } from '@millrace/ids';
import { err, ok, type Result } from '@millrace/result';
import type { Transaction } from './store.ts';
import { partsPrefix, type UploadRecord, type UploadTarget } from './upload.ts';
import { newVideo, stateOf, type VideoRecord } from './video.ts';
import { saveChanged } from './video-effects.ts';
import { takeVideoRoom } from './video-room.ts';
import { sourceFailed } from './video-source.ts';

export interface UploadLimits {
  /** Largest original, bytes. */
  readonly maxBytes: number;
  /** Bytes of originals of one owner, those on their way included. */
  readonly maxOwnerBytes: number;
  /** Unfinished uploads of one owner. */
  readonly maxUploads: number;
  readonly maxVideosPerOwner: number;
  /** How long an upload may rest, ms. */
  readonly restMs: number;
}

export interface UploadWish {
  readonly uploadId: string;
  /** Who uploads; `confinedTo`: undefined for an admin. */
  readonly ownerId: string;
  readonly confinedTo: string | undefined;
  readonly sizeBytes: number;
  readonly metadata: Readonly<Record<string, string | null>>;
  readonly target: UploadTarget;
}

export interface UploadRefusal {
  readonly kind:
    | 'video-not-found'
    | 'video-has-original'
    | 'too-large'
    | 'owner-quota'
    | 'too-many-uploads'
    | 'too-many-videos';
  readonly message: string;
}

/** Begins an upload, with its video when that is new. */
export async function beginUpload(
  tx: Transaction,
  idSource: IdSource,
  limits: UploadLimits,
  wish: UploadWish,
  nowMs: number,
): Promise<Result<UploadRecord, UploadRefusal>> {
  if (wish.sizeBytes > limits.maxBytes) {
    return err({ kind: 'too-large', message: `expected at most ${limits.maxBytes} bytes, got ${wish.sizeBytes}` });
  }
  const found = await videoFor(tx, idSource, wish, nowMs);
  if (!found.ok) return found;
  const { video, isNew } = found.value;
  await tx.uploads.takeTurn(video.ownerId);
  const [open, stored] = [await tx.uploads.open(video.ownerId), await tx.videos.sourceBytes(video.ownerId)];
  if (open.uploads >= limits.maxUploads) {
    const message = `expected at most ${limits.maxUploads} unfinished uploads of one owner: finish or end one`;
    return err({ kind: 'too-many-uploads', message });
  }
  if (open.bytes + stored + wish.sizeBytes > limits.maxOwnerBytes) {
    const left = Math.max(0, limits.maxOwnerBytes - open.bytes - stored);
    return err({ kind: 'owner-quota', message: `expected at most the ${left} bytes left, got ${wish.sizeBytes}` });
  }
  if (isNew) {
    const room = await takeVideoRoom(tx, video.ownerId, limits.maxVideosPerOwner);
    if (!room.ok) return err({ kind: room.error.kind, message: room.error.reason });
    await tx.videos.insert(video);
    await tx.publish([record(videosTopic, stateOf(video))]);
  }
  const upload: UploadRecord = {
    ...{ uploadId: wish.uploadId, videoId: video.videoId, ownerId: video.ownerId, sizeBytes: wish.sizeBytes },
    ...{ receivedBytes: 0, state: 'receiving', metadata: wish.metadata, tries: 0 },
    ...{ createdAtMs: nowMs, expiresAtMs: nowMs + limits.restMs },
  };
  await tx.uploads.insert(upload);
  return ok(upload);
}

async function videoFor(
  tx: Transaction,
  idSource: IdSource,
  { target, ownerId, confinedTo }: UploadWish,
  nowMs: number,
): Promise<Result<{ readonly video: VideoRecord; readonly isNew: boolean }, UploadRefusal>> {
  if (target.kind === 'new') {
    const ids = { videoId: newId('vid', idSource), playbackId: newId('play', idSource) };
    const { title, language, visibility, process } = target;
    const origin = { origin: 'upload', sourceState: 'uploading', processOnSource: process } as const;
    return ok({ video: newVideo({ ...ids, ...origin, ownerId, title, language, visibility }, nowMs), isNew: true });
  }
  const video = await tx.videos.lock(target.videoId);
  if (video === undefined || (confinedTo !== undefined && video.ownerId !== confinedTo)) {
    return err({ kind: 'video-not-found', message: `there is no video ${target.videoId}` });
  }
  const earlier = await tx.uploads.ofVideo(video.videoId);
  const waits = video.sourceState === 'uploading' || video.sourceState === 'failed';
  if (!waits || earlier.some((upload) => upload.state === 'joining')) {
    const message = `expected a video that waits for its original, ${video.videoId} is ${video.sourceState}`;
    return err({ kind: 'video-has-original', message });
  }
  // a client that lost the URL of an earlier upload begins anew
  for (const upload of earlier) await discardUpload(tx, upload, nowMs);
  const waiting: VideoRecord = { ...video, sourceState: 'uploading', sourceError: undefined };
  if (video.sourceState === 'failed') await saveChanged(tx, video, waiting);
  return ok({ video: waiting, isNew: false });
}

async function discardUpload(tx: Transaction, upload: UploadRecord, nowMs: number): Promise<void> {
  await tx.uploads.remove(upload.uploadId);
  await tx.cleanups.add([{ prefix: partsPrefix(upload.uploadId) }], nowMs);
}

/** Ends an upload before its time: its parts go, its video says why it has no original. False: it is being joined. */
export async function endUpload(tx: Transaction, known: UploadRecord, reason: string, nowMs: number): Promise<boolean> {
  const video = await tx.videos.lock(known.videoId);
  const upload = await tx.uploads.lock(known.uploadId);
  if (upload === undefined) return true;
  if (upload.state === 'joining') return false;
  await discardUpload(tx, upload, nowMs);
  if (upload.state === 'receiving' && video?.sourceState === 'uploading') await sourceFailed(tx, video, reason, nowMs);
  return true;
}
