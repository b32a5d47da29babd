import type { HubChange, HubMessage } from '@millrace/api';
import type { View } from './view.ts';

/** Values of which only the newest counts. */
export type ConflatedKind = 'counted' | 'measured';

/** What the channels have to know of one kind of entity, streams or jobs, with state `E`. */
export interface BoardShape<E> {
  /** Names the list channel (`streams`) and the prefix of an entity's own (`stream:`). */
  readonly list: 'streams' | 'jobs';
  readonly prefix: 'stream:' | 'job:';
  /** The entity that a channel's name means; undefined: there is none. */
  resolve(name: string): string | undefined;
  exists(state: E): boolean;
  ownerOf(state: E): string | undefined;
  /** The view that a holder of an API token for `ownerId` has of this one entity, if he is not its owner. */
  strangersView(): View | undefined;
  /** Whether `view` may have the list at all. */
  mayList(view: View): boolean;
  /** Whether the entity is in the list of `view` (`inList`), or may be watched alone. */
  sees(view: View, state: E, inList: boolean): boolean;
  /** The whole entity as `view` sees it; only asked for what `view` sees. */
  show(view: View, id: string, state: E): HubChange;
  removed(id: string): HubChange | undefined;
  /** The newest value of a kind, if `view` sees that kind. */
  conflated(kind: ConflatedKind, view: View, id: string, state: E): HubChange | undefined;
  /** Body of a snapshot. */
  listing(changes: readonly HubChange[]): Partial<Extract<HubMessage, { op: 'snapshot' }>>;
}
