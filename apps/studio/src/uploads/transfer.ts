/** What `Uploads` needs of the protocol that carries a file: the port, and what goes over it. */
import type { ApiError } from '../api/api-error.ts';

export interface TransferPlan {
  /** Where uploads are created. */
  readonly endpoint: string;
  readonly videoId: string;
  readonly ownerId: string;
  readonly token: () => string | undefined;
  readonly previous: Unfinished | undefined;
}

export interface TransferEvents {
  /** Bytes so far, of the whole file. */
  readonly onSent: (bytes: number) => void;
  readonly onDone: () => void;
  readonly onError: (error: ApiError) => void;
}

export interface Transfer {
  /** At first, and again after a pause or an error: it asks how far it came and goes on there. */
  start(): void;
  pause(): Promise<void>;
  /** Also on the server. */
  cancel(): Promise<void>;
}

/** An upload that was begun in this browser, by its stored address. */
export interface Unfinished {
  readonly videoId: string;
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly url: string;
  /** As the protocol's own store knows it. */
  readonly stored: unknown;
}

/** The protocol's code, loaded with the first file. */
export interface TransferCode {
  openTransfer(file: File, plan: TransferPlan, events: TransferEvents): Transfer;
  findPrevious(file: File, ownerId: string): Promise<Unfinished | undefined>;
  findUnfinished(
    ownerId: string,
    token: () => string | undefined,
  ): Promise<readonly (Unfinished & { readonly sentBytes: number })[]>;
  discardUnfinished(unfinished: Unfinished, token: string | undefined): Promise<void>;
}
