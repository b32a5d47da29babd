/**
 * The tab's one connection to the hub: opened with the first subscription, closed a little after the last, so that going from
 * page to page keeps it.
 */
import type { Channel } from '@millrace/api';
import type { ChannelHandlers, HubClient } from '@millrace/hub-client';
import type { PageTime } from '../player/browser-time.ts';

/** `away`: it could not be reached, and is being tried again. */
export type HubLink = 'unused' | 'connecting' | 'open' | 'away';

interface HubConnectionDeps {
  readonly open: () => Pick<HubClient, 'subscribe' | 'onState' | 'close'>;
  readonly time: Pick<PageTime, 'after'>;
}

const lingerMs = 3_000;

export class HubConnection {
  readonly #deps: HubConnectionDeps;
  readonly #listeners = new Set<() => void>();
  #client: ReturnType<HubConnectionDeps['open']> | undefined;
  #link: HubLink = 'unused';
  #users = 0;
  #closing: { cancel(): void } | undefined;

  constructor(deps: HubConnectionDeps) {
    this.#deps = deps;
  }

  get link(): HubLink {
    return this.#link;
  }

  /** Calls back when `link` changes; returns how to stop. */
  onLink(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  subscribe(channel: Channel, handlers: ChannelHandlers): () => void {
    this.#closing?.cancel();
    this.#closing = undefined;
    this.#users += 1;
    const unsubscribe = this.#open().subscribe(channel, handlers);
    let done = false;
    return () => {
      if (done) return;
      done = true;
      unsubscribe();
      this.#users -= 1;
      if (this.#users === 0) this.#closing = this.#deps.time.after(lingerMs, () => this.#close());
    };
  }

  #open() {
    if (this.#client !== undefined) return this.#client;
    const client = this.#deps.open();
    this.#client = client;
    this.#become('connecting');
    client.onState((state) => {
      if (this.#client !== client) return;
      if (state === 'open') this.#become('open');
      // From a failure until it works again it is away, also while it tries.
      else if (state === 'waiting') this.#become('away');
    });
    return client;
  }

  #close(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.close();
    this.#become('unused');
  }

  #become(link: HubLink): void {
    if (link === this.#link) return;
    this.#link = link;
    for (const listener of [...this.#listeners]) listener();
  }
}
