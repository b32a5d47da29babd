/** Many clients that follow one stream through re-connections, each counting what it missed and what it got twice. */
import { type ConnectionState, createHubClient, type HubClient } from '@millrace/hub-client';
import { WebSocket } from 'ws';

export interface StormOptions {
  readonly count: number;
  /** Where a new connection may go now, as behind a balancer. */
  readonly urls: () => readonly string[];
  readonly streamId: string;
}

export interface StormTally {
  readonly clients: number;
  readonly open: number;
  /** Clients whose stream is at `version`. */
  readonly at: (version: number) => number;
  readonly gaps: number;
  readonly duplicates: number;
  readonly firstSnapshots: number;
  /** Snapshots after the first of a client: what it missed was not known any more. */
  readonly laterSnapshots: number;
  readonly connections: number;
}

/** Versions of the stream stand in its title: each must be one more than the one before. */
export class Storm implements Disposable {
  readonly #clients: HubClient[] = [];
  readonly #versions: number[] = [];
  #gaps = 0;
  #duplicates = 0;
  #firstSnapshots = 0;
  #laterSnapshots = 0;
  #connections = 0;

  constructor(options: StormOptions) {
    const onState = (state: ConnectionState) => {
      if (state === 'connecting') this.#connections++;
    };
    let next = 0;
    const pick = () => {
      const urls = options.urls();
      return urls[next++ % urls.length] ?? 'ws://127.0.0.1:1/ws';
    };
    class Balanced extends WebSocket {
      constructor() {
        super(pick(), { perMessageDeflate: false });
      }
    }
    for (let index = 0; index < options.count; index++) {
      const client = createHubClient({ url: 'ws://balancer/ws', WebSocket: Balanced, onState });
      this.#versions.push(0);
      client.subscribe('streams', {
        onSnapshot: (view) => {
          if (this.#versions[index] === 0) this.#firstSnapshots++;
          else this.#laterSnapshots++;
          this.#versions[index] = Number(view.streams.get(options.streamId)?.title ?? 0);
        },
        onChanges: (changes) => {
          for (const change of changes) {
            if (change.kind !== 'stream' || change.stream.stream_id !== options.streamId) continue;
            const version = Number(change.stream.title);
            const expected = (this.#versions[index] ?? 0) + 1;
            if (version > expected) this.#gaps++;
            if (version < expected) this.#duplicates++;
            this.#versions[index] = version;
          }
        },
      });
      this.#clients.push(client);
    }
  }

  get tally(): StormTally {
    return {
      clients: this.#clients.length,
      open: this.#clients.filter(({ state }) => state === 'open').length,
      at: (version) => this.#versions.filter((one) => one === version).length,
      ...{ gaps: this.#gaps, duplicates: this.#duplicates, connections: this.#connections },
      ...{ firstSnapshots: this.#firstSnapshots, laterSnapshots: this.#laterSnapshots },
    };
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client.close();
  }
}
