/** What a claimed source needs from outside; `outbound` implements it. */
import type {
  LiveWindowWriter,
  OpenWindow,
  PartWrite,
  RenditionSpec,
  WindowState,
  WriteRefusal,
} from '@millrace/handover';
import type { Epoch, StreamId } from '@millrace/ids';

/** Writes one source's parts to its live window, in order. */
export interface WindowPush {
  /** Bytes of parts that delivery has not taken yet. */
  readonly queuedBytes: number;
  /** Queues a part behind the others of its rendition. */
  part(write: PartWrite): void;
  /** Opens the window once all parts before are written. Undefined when the push failed. */
  open(window: OpenWindow): Promise<WindowState | undefined>;
  /** Ends the broadcast once all parts are written. */
  end(stream: Parameters<LiveWindowWriter['end']>[0]): Promise<void>;
  /** Resolves when nothing is queued or under way, or the push has failed. */
  idle(): Promise<void>;
  /** Forgets what is queued; what is under way may still arrive. */
  abandon(): void;
}

export interface WindowPushEvents {
  readonly onWritten: (write: PartWrite, waitedMs: number) => void;
  readonly onRefused: (kind: WriteRefusal['kind']) => void;
  /** Called once: nothing is written any more. */
  readonly onFailed: (refusal: WriteRefusal) => void;
}

/** Says what a broadcast is made of, as its packaging starts or changes. */
export interface RenditionFacts {
  started(streamId: StreamId, epoch: Epoch, renditions: readonly RenditionSpec[]): void;
}
