/**
 * Writes the playlists over the tracks that are there: once early, with the first rung, and at last with everything. Each text is
 * replaced whole, media playlists before the two that lead to them, so a player always finds what it is told of.
 */
import { type SpecOf, type TaskFailure, type TaskResult, taskResultSchema } from '@millrace/api';
import type { MediaStore } from '@millrace/media-store';
import { err, ok, type Result } from '@millrace/result';
import { renderAssetPlaylists } from '../core/asset-playlists.ts';
import { assetTracksOf, mergeResults, pathsOf } from '../core/asset-tracks.ts';
import type { TaskContext, TaskExecutor } from '../core/task-executor.ts';
import { failureOfStore } from './task-failures.ts';

/** What the asset is made of, for a later run that renews a part of it. Not served. */
const tracksFile = 'tracks.json';
const longestTracksFile = 64 * 1024 * 1024;

/** Executor of kind `publish`. */
export function createPublishTask(): TaskExecutor<'publish'> {
  return async (spec, context) => {
    const { store, signal } = context;
    const earlier = spec.renew === true ? await readTracks(store, spec.asset) : ok([]);
    if (!earlier.ok) return earlier;
    const results = mergeResults(earlier.value, context.inputs);
    const tracks = assetTracksOf(results);
    if (!tracks.ok) return err({ code: 'incomplete', reason: `publishing: ${tracks.error}`, retryable: false });

    const sizes = await sizesBelow(store, spec.asset);
    const missing = pathsOf(tracks.value).filter((path) => (sizes.get(path) ?? 0) === 0);
    if (missing.length > 0) {
      const reason = `publishing: ${missing.length} files of the asset are not in the media store, as ${missing[0]}`;
      return err({ code: 'files-missing', reason, retryable: true });
    }
    signal.throwIfAborted();
    const written = await writePlaylists(spec, tracks.value, sizes, results, context);
    if (!written.ok) return written;
    const listed = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    return ok({ kind: 'publish', rungs: tracks.value.rungs.map(({ rung }) => rung), bytes: listed + written.value });
  };
}

/** Writes everything; the bytes of it. */
async function writePlaylists(
  spec: SpecOf<'publish'>,
  tracks: Parameters<typeof renderAssetPlaylists>[1],
  sizes: ReadonlyMap<string, number>,
  results: readonly TaskResult[],
  { store, report, signal }: TaskContext,
): Promise<Result<number, TaskFailure>> {
  const { asset, duration_ms } = spec;
  const name = asset.slice(asset.lastIndexOf('/') + 1);
  const { media, multivariant, presentation } = renderAssetPlaylists(name, tracks, duration_ms, sizes);
  const texts = [
    ...media.map(({ path, text }) => ({ key: `${asset}/${path}`, text })),
    { key: `${asset}/${tracksFile}`, text: JSON.stringify({ results }) },
    ...(presentation === undefined ? [] : [{ key: `${asset}.mpd`, text: presentation }]),
    { key: `${asset}.m3u8`, text: multivariant },
  ];
  let bytes = 0;
  for (const [i, { key, text }] of texts.entries()) {
    signal.throwIfAborted();
    const kept = await store.put(key, [new TextEncoder().encode(text)]);
    if (!kept.ok) return err(failureOfStore(kept.error, `publishing ${key.slice(asset.length - name.length)}`));
    bytes += kept.value.size;
    report((i + 1) / texts.length);
  }
  return ok(bytes);
}

async function readTracks(store: MediaStore, asset: string): Promise<Result<readonly TaskResult[], TaskFailure>> {
  const object = await store.get(`${asset}/${tracksFile}`);
  if (!object.ok) return err(failureOfStore(object.error, 'reading what the asset is made of'));
  if (object.value.size > longestTracksFile) throw new Error(`${asset}/${tracksFile} has ${object.value.size} bytes`);
  const pieces: Uint8Array[] = [];
  for await (const piece of object.value.bytes) pieces.push(piece);
  const read: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'));
  return ok(taskResultSchema.array().parse((read as { results?: unknown }).results));
}

/** What the store has below the asset's folder. */
async function sizesBelow(store: MediaStore, asset: string): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for await (const { key, size } of store.list(`${asset}/`)) sizes.set(key.slice(asset.length + 1), size);
  return sizes;
}
