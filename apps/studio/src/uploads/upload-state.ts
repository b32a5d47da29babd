/**
 * One upload as the page shows it, as a state machine. Pure: `Uploads` drives the transfers and feeds what they say back.
 *
 *     queued -> starting -> sending <-> paused
 *                  \-> interrupted (tried again by itself) -> starting
 *     sending -> done          any but done -> failed
 *     unfinished: of an earlier visit; its file is needed to go on
 */
import { assertNever } from '@millrace/result';
import { type RateWindow, withSample } from './send-rate.ts';

export type UploadState =
  | { readonly kind: 'queued' }
  | { readonly kind: 'starting'; readonly sentBytes: number }
  | { readonly kind: 'sending'; readonly sentBytes: number; readonly rate: RateWindow }
  | { readonly kind: 'paused'; readonly sentBytes: number }
  | { readonly kind: 'interrupted'; readonly sentBytes: number; readonly failures: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'unfinished'; readonly sentBytes: number };

export interface UploadItem {
  readonly id: string;
  readonly fileName: string;
  readonly sizeBytes: number;
  /** Once the server knows of it. */
  readonly videoId: string | undefined;
  readonly state: UploadState;
  /** Failures in a row without a byte in between. */
  readonly failures: number;
}

export type UploadSignal =
  | { readonly kind: 'begun' }
  | { readonly kind: 'named'; readonly videoId: string }
  | { readonly kind: 'sent'; readonly bytes: number; readonly atMs: number }
  | { readonly kind: 'paused' }
  /** The network or the server failed in a way that passes. */
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'finished' }
  | { readonly kind: 'failed'; readonly reason: string };

export function nextUpload(item: UploadItem, signal: UploadSignal): UploadItem {
  const { state } = item;
  // Late words of a transfer that is over.
  if (state.kind === 'done') return item;
  switch (signal.kind) {
    case 'begun':
      return { ...item, state: { kind: 'starting', sentBytes: sentBytes(item) } };
    case 'named':
      return { ...item, videoId: signal.videoId };
    case 'sent': {
      if (state.kind !== 'starting' && state.kind !== 'sending') return item;
      const { bytes, atMs } = signal;
      const rate = withSample(state.kind === 'sending' ? state.rate : [], { bytes, atMs });
      const moved = bytes > sentBytes(item);
      return { ...item, state: { kind: 'sending', sentBytes: bytes, rate }, failures: moved ? 0 : item.failures };
    }
    case 'paused':
      return state.kind === 'failed' ? item : { ...item, state: { kind: 'paused', sentBytes: sentBytes(item) } };
    case 'interrupted': {
      if (state.kind !== 'starting' && state.kind !== 'sending') return item;
      const failures = item.failures + 1;
      return { ...item, failures, state: { kind: 'interrupted', sentBytes: sentBytes(item), failures } };
    }
    case 'finished':
      return { ...item, state: { kind: 'done' } };
    case 'failed':
      return { ...item, state: { kind: 'failed', reason: signal.reason } };
    default:
      return assertNever(signal);
  }
}

/** Bytes that the server is known or thought to have. */
export function sentBytes({ state, sizeBytes }: UploadItem): number {
  if (state.kind === 'done') return sizeBytes;
  return state.kind === 'queued' || state.kind === 'failed' ? 0 : state.sentBytes;
}

/** Wait before the next try after so many failures in a row, ms: at once to 15 s. */
export function retryDelayMs(failures: number): number {
  return Math.min(15_000, 500 * 2 ** Math.max(0, failures - 1));
}

/** Whether a place on the network is taken. */
export function isUnderWay({ state }: UploadItem): boolean {
  return state.kind === 'starting' || state.kind === 'sending' || state.kind === 'interrupted';
}

/** The title of a video from the name of its file: without the extension, underscores as spaces. */
export function titleOfFile(fileName: string): string {
  const bare = fileName.replace(/\.[A-Za-z0-9]{1,5}$/, '').replaceAll('_', ' ');
  const words = [...bare]
    .map((one) => (one < ' ' || one === '\u007f' ? ' ' : one))
    .join('')
    .trim();
  return words.slice(0, 200) || 'Untitled';
}
