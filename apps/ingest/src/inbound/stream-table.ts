/** Stream definitions of control, as a table of `control.streams.v1`. */
import type { EventLog, Table } from '@millrace/eventlog';
import { type LatencyMode, type StreamDefinition, streamsTopic } from '@millrace/events';
import { parseId, type StreamId } from '@millrace/ids';

export class StreamTable implements AsyncDisposable {
  readonly #table: Table<StreamDefinition>;
  readonly #stopListening: () => void;

  /** `onDeleted` is called as soon as the deletion of a stream is read. */
  constructor(eventLog: EventLog, onDeleted: (streamId: StreamId) => void) {
    this.#table = eventLog.table(streamsTopic);
    this.#stopListening = this.#table.onChange((key, value) => {
      const streamId = parseId('str', key);
      if (value === undefined && streamId.ok) onDeleted(streamId.value);
    });
  }

  /** Resolves once it holds all that was known at the start; until then an absent stream says nothing. */
  get ready(): Promise<void> {
    return this.#table.ready;
  }

  get isReady(): boolean {
    return this.#table.isReady;
  }

  /** The latency mode of a stream that exists. */
  latencyMode(streamId: StreamId): LatencyMode | undefined {
    return this.#table.get(streamId)?.latency_mode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopListening();
    await this.#table[Symbol.asyncDispose]();
  }
}
