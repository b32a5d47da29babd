import type { IdSource } from '@millrace/ids';

/** 2023-11-14T22:13:20Z: first numbers counted from here stay below 2^31 until 2091, for players that parse 32 bits. */
const numberEpochS = 1_700_000_000;

/**
 * The id and first media sequence number of a new window. The number is the wall clock in seconds: segments last a second
 * or more, so a window that follows a lost one (a restart of delivery) starts above it, and for players the media sequence
 * number never goes back. The id is random, so that a media file name is never used twice.
 */
export function mintWindow(source: IdSource): { readonly windowId: string; readonly firstSegment: number } {
  const nowS = Math.floor(source.nowMs() / 1000);
  const random = source.random(new Uint8Array(5));
  const tail = Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { windowId: `${nowS.toString(36)}${tail}`, firstSegment: Math.max(0, nowS - numberEpochS) };
}
