/**
 * Words of our own between ingest and a worker, in the FLV stream itself so that they keep their place among the tags: a
 * script tag `onMillrace` with one string. Players and ffmpeg skip script tags they do not know.
 */
import { readAmf0, writeAmf0 } from './amf0.ts';
import type { DataTag, MediaTag } from './media-tag.ts';

const method = 'onMillrace';
const limits = { maxDepth: 1, maxValues: 2, maxStringBytes: 64 } as const;

/** A script tag that says `name` (at most 64 bytes of UTF-8), at media time `timestampMs`. */
export function encodeControlTag(name: string, timestampMs = 0): DataTag {
  return { kind: 'data', timestampMs, payload: writeAmf0([method, name]) };
}

/** The word that a control tag says; undefined for every other tag. */
export function parseControlTag(tag: MediaTag): string | undefined {
  if (tag.kind !== 'data' || tag.payload.length > 96) return undefined;
  const values = readAmf0(tag.payload, limits);
  if (!values.ok || values.value.length !== 2 || values.value[0] !== method) return undefined;
  const word = values.value[1];
  return typeof word === 'string' ? word : undefined;
}
