import type { HubChange, HubStream } from '@millrace/api';
import type { HealthSample, LiveRecord, StreamDefinition } from '@millrace/events';
import type { BoardShape } from './board-shape.ts';
import type { View } from './view.ts';

/** What is known of a stream: each part comes from a topic of its own. */
export interface StreamParts {
  readonly definition: StreamDefinition | undefined;
  readonly live: LiveRecord | undefined;
}

export const unknownStream: StreamParts = { definition: undefined, live: undefined };

/** What is shown beside the state and changes too often to be kept in order. */
export interface StreamReadings {
  viewers(streamId: string): number;
  health(streamId: string, epoch: number): HealthSample | null;
}

export class StreamShape implements BoardShape<StreamParts> {
  readonly list = 'streams';
  readonly prefix = 'stream:';
  readonly #readings: StreamReadings;
  readonly #byPlaybackId = new Map<string, string>();
  readonly #known: (streamId: string) => boolean;

  constructor(readings: StreamReadings, known: (streamId: string) => boolean) {
    this.#readings = readings;
    this.#known = known;
  }

  /** Notes under which playback id a stream can be asked for. */
  index(streamId: string, before: StreamDefinition | undefined, after: StreamDefinition | undefined): void {
    if (before !== undefined && before.playback_id !== after?.playback_id)
      this.#byPlaybackId.delete(before.playback_id);
    if (after !== undefined) this.#byPlaybackId.set(after.playback_id, streamId);
  }

  resolve(name: string): string | undefined {
    return this.#byPlaybackId.get(name) ?? (this.#known(name) ? name : undefined);
  }

  exists(state: StreamParts): boolean {
    return state.definition !== undefined;
  }

  ownerOf(state: StreamParts): string | undefined {
    return state.definition?.owner_id;
  }

  strangersView(): View {
    return { kind: 'public' };
  }

  mayList(view: View): boolean {
    return view.kind !== 'ticket';
  }

  sees(view: View, { definition, live }: StreamParts, inList: boolean): boolean {
    if (definition === undefined) return false;
    switch (view.kind) {
      case 'admin':
        return true;
      case 'owner':
        return definition.owner_id === view.ownerId;
      case 'ticket':
        return !inList;
      case 'public': {
        const runs = live !== undefined && live.state !== 'idle';
        return definition.visibility === 'public' && (runs || !inList);
      }
    }
  }

  show(view: View, id: string, { definition, live }: StreamParts): HubChange {
    if (definition === undefined) throw new Error(`stream ${id}: expected a definition`);
    const runs = live !== undefined && live.state !== 'idle';
    const stream: HubStream = {
      stream_id: id,
      playback_id: definition.playback_id,
      title: definition.title,
      visibility: definition.visibility,
      state: live?.state ?? 'idle',
      live_since: runs ? new Date(live.liveSinceMs).toISOString() : null,
      viewers: this.#readings.viewers(id),
      ...(isInsider(view) ? { owner_id: definition.owner_id, health: this.#health(id, live) } : {}),
    };
    return { kind: 'stream', stream };
  }

  removed(id: string): HubChange {
    return { kind: 'stream-removed', stream_id: id };
  }

  conflated(kind: 'counted' | 'measured', view: View, id: string, { live }: StreamParts): HubChange | undefined {
    if (kind === 'counted') return { kind, stream_id: id, viewers: this.#readings.viewers(id) };
    return isInsider(view) ? { kind, stream_id: id, health: this.#health(id, live) } : undefined;
  }

  listing(changes: readonly HubChange[]): { streams: HubStream[] } {
    return { streams: changes.flatMap((change) => (change.kind === 'stream' ? [change.stream] : [])) };
  }

  #health(id: string, live: LiveRecord | undefined): HealthSample | null {
    return live === undefined || live.state === 'idle' ? null : this.#readings.health(id, live.epoch);
  }
}

function isInsider(view: View): boolean {
  return view.kind === 'owner' || view.kind === 'admin';
}
