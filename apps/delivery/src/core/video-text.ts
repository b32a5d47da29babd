/** Playlists and captions of videos, as their routes ask for them. */
import type { Result } from '@millrace/result';

/** A text as it is sent. */
export interface VideoText {
  readonly plain: Uint8Array;
  /** Undefined for one that is not worth it. */
  readonly gzip: Uint8Array | undefined;
  /** Of the plain text, without quotes. */
  readonly tag: string;
}

export type TextFailure =
  | { readonly kind: 'not-found' }
  | { readonly kind: 'too-busy' }
  | { readonly kind: 'unavailable'; readonly message: string };

export interface TextAsk {
  readonly key: string;
  /** How old a copy may be, ms. */
  readonly freshMs: number;
  /** What is made of it before it is sent, and a name for that. */
  readonly edit?: { readonly name: string; readonly apply: (text: string) => string };
}

export interface TextReader {
  read(ask: TextAsk): Promise<Result<VideoText, TextFailure>>;
}
