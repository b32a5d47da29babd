/** What a `compose` job is asked to do: made when the composition is submitted, kept with the job, read by the pipeline. */

export interface ComposeRequest {
  readonly composition_id: string;
  readonly owner_id: string;
  readonly title: string;
  /** Of the output: private as soon as one of its inputs is. */
  readonly visibility: 'public' | 'private';
  /** Ids of the video that comes of it. */
  readonly video_id: string;
  readonly playback_id: string;
  /** Folder to publish into, without the final slash. */
  readonly asset: string;
  /** Key of the MP4. */
  readonly output: string;
  /** The job's own folder, without the final slash. */
  readonly work: string;
  /** In playing order. */
  readonly inputs: readonly ComposeInput[];
  readonly transition: { readonly kind: 'cut' | 'fade' | 'crossfade'; readonly duration_ms: number };
  /** Null: what most inputs have. */
  readonly target: {
    readonly width: number;
    readonly height: number;
    readonly frames_per_second: number | null;
  } | null;
  readonly even_loudness: boolean;
}

export interface ComposeInput {
  readonly video_id: string;
  /** Key of its original. */
  readonly source: string;
  /** ms of the original; null: all of it. */
  readonly trim: { readonly start_ms: number; readonly end_ms: number } | null;
}

/** The request of a `compose` job as it was kept. Throws on one that no composition submitted (a bug). */
export function composeRequestOf(request: unknown): ComposeRequest {
  if (typeof request === 'object' && request !== null && 'composition_id' in request && 'inputs' in request) {
    return request as ComposeRequest; // written by `composition-submission`, kept as it was
  }
  throw new Error(`expected the request of a compose job, got ${JSON.stringify(request)?.slice(0, 100)}`);
}
