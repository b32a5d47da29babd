/** How a picture gets into the media store, whoever brings it: as it comes, looked at while it goes by. */
import type { MediaStore, StoreFailure } from '@millrace/media-store';
import { err, ok, type Result } from '@millrace/result';
import type { Picture } from '../core/image.ts';
import { type PictureLimits, PictureReader, type PictureRefusal } from '../core/picture-reader.ts';

export interface StoredPicture {
  readonly picture: Picture;
  readonly sizeBytes: number;
}

export interface PictureIntake {
  readonly mediaStore: MediaStore;
  readonly limits: PictureLimits;
  readonly metrics: { readonly picturesRefused: { inc(labels: { readonly reason: string }): void } };
}

/** Puts `body` into the media store under `key`; what is no picture, or is too large, never becomes an object. Throws what `body` throws. */
export async function storePicture(
  { mediaStore, limits, metrics }: PictureIntake,
  key: string,
  body: AsyncIterable<Uint8Array> | null,
): Promise<Result<StoredPicture, PictureRefusal | StoreFailure>> {
  const reader = new PictureReader(limits);
  // a store says of a body that breaks off what it says of any failure
  const refused: PictureRefusal[] = [];
  const check = (result: Result<unknown, PictureRefusal>) => {
    if (result.ok) return;
    refused.push(result.error);
    throw new Error(result.error.reason);
  };
  async function* pieces(): AsyncGenerator<Uint8Array> {
    if (body !== null) {
      for await (const piece of body) {
        check(reader.feed(piece));
        yield piece;
      }
    }
    check(reader.end());
  }
  const kept = await mediaStore.put(key, pieces()).catch((error: unknown) => {
    if (refused.length === 0) throw error;
    return undefined;
  });
  const facts = reader.end();
  if (refused.length === 0 && kept?.ok === false) return err(kept.error);
  const refusal = refused[0] ?? (facts.ok ? undefined : facts.error);
  if (refusal !== undefined || !facts.ok) {
    metrics.picturesRefused.inc({ reason: refusal?.kind ?? 'not-a-picture' });
    return err(refusal ?? { kind: 'not-a-picture', reason: 'expected a picture' });
  }
  const { contentType, width, height, orientation, sizeBytes } = facts.value;
  return ok({ picture: { key, contentType, width, height, orientation }, sizeBytes });
}
