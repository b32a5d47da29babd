import type { PageRequest } from '@millrace/http';
import type { CompositionRecord } from './composition.ts';

export interface CompositionRows {
  insert(composition: CompositionRecord): Promise<void>;
  get(compositionId: string): Promise<CompositionRecord | undefined>;
  lock(compositionId: string): Promise<CompositionRecord | undefined>;
  /** Writes everything that may change. */
  save(composition: CompositionRecord): Promise<void>;
  /** The newest first; undefined: of everybody. */
  list(ownerId: string | undefined, page: PageRequest): Promise<readonly CompositionRecord[]>;
}
