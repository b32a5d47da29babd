/**
 * The port to a generator of videos elsewhere: it is given a prompt and where a picture is, works for a while, and has a file in the end.
 * docs/images.md says what the HTTP adapter asks of a provider.
 */
import type { SpecOf, TaskFailure } from '@millrace/api';
import type { Result } from '@millrace/result';

/** What is asked for. The generator may do it only roughly: the file is brought to size and length afterwards. */
export type GeneratorOrder = Pick<
  SpecOf<'generate'>,
  | ('request_id' | 'img_name' | 'image_url' | 'prompt' | 'parameters' | 'motion')
  | ('duration_ms' | 'width' | 'height' | 'frames_per_second')
>;

export type GeneratorState =
  | { readonly kind: 'working'; readonly done: number | undefined }
  | { readonly kind: 'completed' }
  | { readonly kind: 'failed'; readonly reason: string; readonly retryable: boolean };

/** Every call rejects only with the signal's reason. */
export interface VideoGenerator {
  /** Begins, or finds what was begun under the same `request_id`; gives the generator's own name of it. */
  begin(order: GeneratorOrder, signal: AbortSignal): Promise<Result<string, TaskFailure>>;
  state(id: string, signal: AbortSignal): Promise<Result<GeneratorState, TaskFailure>>;
  /** Writes the video of a completed one to `path`; gives its size. */
  fetch(id: string, path: string, signal: AbortSignal): Promise<Result<number, TaskFailure>>;
  /** Nobody wants it any more. One that is unknown or has ended is none of anybody's business. */
  cancel(id: string, signal: AbortSignal): Promise<Result<void, TaskFailure>>;
}
